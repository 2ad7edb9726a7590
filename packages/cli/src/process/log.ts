import type { Log } from '@pinwheel/membership';
import { pino } from 'pino';
import { printable } from '../output/printable.js';

/** What cannot be written, as on a full disk, waits; more of it is dropped. */
const maxWaitingBytes = 1_048_576;

/** Lines for a person when stderr is a terminal, else JSON lines. */
export function createLog(level: string): Log {
  // a file descriptor of our own, written to at once: worker threads and uWebSockets.js do not go together
  const destination = pino.destination({ fd: 2, sync: true, maxLength: maxWaitingBytes });
  // the terminal is gone: there is nobody to tell
  destination.on('error', () => {});
  if (!process.stderr.isTTY) return pino({ level, base: null }, destination);
  return pino(
    { level, base: null },
    { write: (line: string) => void destination.write(`${readable(line)}\n`) },
  );
}

function readable(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const clock = new Date(time as number).toISOString().slice(11, 23);
  const mark = (level as number) >= 50 ? 'error: ' : (level as number) >= 40 ? 'warning: ' : '';
  const rest = Object.entries(fields).map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return ` ${name}=${name === 'stack' ? indented(text) : printable(text)}`;
  });
  return `${clock} ${mark}${printable(msg as string)}${rest.join('')}`;
}

function indented(text: string): string {
  return text.split('\n').map(printable).join('\n    ');
}
