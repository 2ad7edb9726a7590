import { performance } from 'node:perf_hooks';
import type { Log } from '@pinwheel/membership';

const windowMs = 1000;
const linesPerWindow = 10;

type Write = (fields: object, text: string) => void;

/**
 * A log of what clients can bring about with each message, and an application that is away with everybody's: ten lines of a
 * level a second, and the next one says how many were left out. All are counted in the metrics.
 *
 * @param now ms on a clock that only goes forward.
 */
export function boundedLog(log: Log, now: () => number = () => performance.now()): Log {
  return {
    info: bounded((fields, text) => log.info(fields, text), now),
    warn: bounded((fields, text) => log.warn(fields, text), now),
    error: bounded((fields, text) => log.error(fields, text), now),
  };
}

function bounded(write: Write, now: () => number): Write {
  let since = Number.NEGATIVE_INFINITY;
  let said = 0;
  let unsaid = 0;
  return (fields, text) => {
    const at = now();
    if (at - since >= windowMs) {
      since = at;
      said = 0;
    }
    if (said === linesPerWindow) {
      unsaid++;
      return;
    }
    said++;
    write(unsaid === 0 ? fields : { ...fields, othersBefore: unsaid }, text);
    unsaid = 0;
  };
}
