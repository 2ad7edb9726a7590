import { PinwheelError, parseUserId, shouldReconnect } from '@pinwheel/protocol';
import { WebSocket } from 'undici';
import type { Command, Invocation } from '../command.js';
import { options } from '../options.js';
import type { Output } from '../output.js';
import { untilSignal } from '../signals.js';

const longestWaitMs = 5000;

export const listenCommand: Command = {
  name: 'listen',
  words: ['USER'],
  summary: 'connects as a user and prints what arrives; reconnects as told; lines from stdin are sent',
  options: [options.edgeSocket, options.json],
  run: listen,
};

async function listen({ settings, words, output }: Invocation): Promise<number> {
  const url = new URL(readUrl(settings.text(options.edgeSocket) ?? 'ws://127.0.0.1:8080/ws'));
  url.searchParams.set('user', parseUserId(words[0]));
  const listener = new Listener(url, output);
  await untilSignal(
    listener.ended,
    async () => listener.stop(),
    async () => listener.stop(),
  );
  return listener.exitCode;
}

function readUrl(text: string): string {
  if (URL.canParse(text) && /^wss?:/.test(text)) return text;
  throw new PinwheelError('bad-option', `edge is ${JSON.stringify(text)}; it must be a ws: or wss: URL`);
}

/** A client that stays connected for as long as it is wanted. */
class Listener {
  readonly ended: Promise<void>;
  exitCode = 0;
  readonly #url: URL;
  readonly #output: Output;
  #end: () => void = () => {};
  #socket: WebSocket | undefined;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(url: URL, output: Output) {
    this.#url = url;
    this.#output = output;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#connect();
    process.stdin.on('data', (bytes) => this.#sendLines(bytes.toString('utf8')));
    process.stdin.unref?.();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    process.stdin.destroy();
    this.#socket?.close(1000);
    this.#end();
  }

  #connect(): void {
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    let opened = false;
    socket.addEventListener('open', () => {
      opened = true;
      this.#failures = 0;
      this.#say({ event: 'connected', url: this.#url.href }, `connected to ${this.#url.href}`);
    });
    socket.addEventListener('message', ({ data }) => void this.#show(data));
    socket.addEventListener('error', () => {});
    socket.addEventListener('close', ({ code, reason }) => this.#closed(opened, code, reason));
  }

  async #show(data: unknown): Promise<void> {
    const text =
      typeof data === 'string' ? data : Buffer.from(await (data as Blob).arrayBuffer()).toString('base64');
    const field = typeof data === 'string' ? 'data' : 'base64';
    this.#output.result({ event: 'message', [field]: text }, text);
  }

  #closed(opened: boolean, code: number, reason: string): void {
    if (this.#stopped) return;
    if (!shouldReconnect(code)) {
      this.#say({ event: 'closed', code, reason }, `closed for good: ${code} ${reason}`);
      this.exitCode = 1;
      this.stop();
      return;
    }
    const told = toldToWait(reason);
    const waitMs = told ?? Math.random() * Math.min(longestWaitMs, 100 * 2 ** this.#failures++);
    const why = opened ? `closed: ${code} ${reason}` : `cannot connect to ${this.#url.href}`;
    this.#say({ event: 'reconnecting', code, reason, waitMs }, `${why}; again in ${Math.round(waitMs)} ms`);
    this.#timer = setTimeout(() => this.#connect(), waitMs);
  }

  #sendLines(text: string): void {
    for (const line of text.split('\n')) {
      if (line !== '' && this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(line);
    }
  }

  /** What is not a message goes to stderr, so that stdout holds messages only. */
  #say(event: object, text: string): void {
    process.stderr.write(process.stderr.isTTY ? `${text}\n` : `${JSON.stringify(event)}\n`);
  }
}

/** The server's own word, `{"retryAfterMs":n}`. */
function toldToWait(reason: string): number | undefined {
  try {
    const { retryAfterMs } = JSON.parse(reason) as { retryAfterMs?: unknown };
    return typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? retryAfterMs : undefined;
  } catch {
    return undefined;
  }
}
