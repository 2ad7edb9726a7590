import { createInterface } from 'node:readline';
import { shouldReconnect } from '@pinwheel/protocol';
import { WebSocket } from 'undici';
import type { Output } from '../output/output.js';
import { sayEvent } from '../output/say-event.js';
import { type Refused, whyRefused } from './why-refused.js';

const longestWaitMs = 5000;
/** An edge whose auth webhook is slow takes seconds to answer. */
const openTimeoutMs = 20_000;
/** Lines that wait for a connection; more are dropped, and said to be. */
const maxWaitingLines = 1000;

/** A client that stays connected for as long as it is wanted: prints what arrives, sends the lines of stdin. Stdout has messages only. */
export class Listener {
  /** Resolves when it is stopped, or the server will have it no more. */
  readonly ended: Promise<void>;
  exitCode = 0;
  readonly #url: URL;
  /** Without what else a URL may hold: it is printed, and a token is nobody else's. */
  readonly #name: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #output: Output;
  readonly #waiting: string[] = [];
  readonly #input = createInterface({ input: process.stdin });
  #end: () => void = () => {};
  #socket: WebSocket | undefined;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(url: URL, token: string | undefined, output: Output) {
    this.#url = url;
    this.#name = `${url.protocol}//${url.host}${url.pathname}?user=${url.searchParams.get('user')}`;
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    this.#output = output;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#input.on('line', (line) => this.#send(line));
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#input.close();
    process.stdin.destroy();
    this.#socket?.close(1000);
    this.#end();
  }

  #connect(): void {
    const socket = new WebSocket(this.#url, { headers: this.#headers });
    // read at once, so that everything is printed in its order
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    let opened = false;
    const late = setTimeout(() => socket.close(), openTimeoutMs).unref();
    socket.addEventListener('open', () => {
      clearTimeout(late);
      opened = true;
      this.#failures = 0;
      sayEvent({ event: 'connected', url: this.#name }, `connected to ${this.#name}`);
      for (const line of this.#waiting.splice(0)) socket.send(line);
    });
    socket.addEventListener('message', ({ data }) => this.#show(data));
    // the close that follows says the same
    socket.addEventListener('error', () => {});
    socket.addEventListener('close', ({ code, reason }) => {
      clearTimeout(late);
      if (this.#stopped) return;
      if (opened) this.#closed(code, reason);
      else void this.#refused();
    });
  }

  #show(data: unknown): void {
    if (typeof data === 'string') {
      this.#output.result({ event: 'message', data }, data);
      return;
    }
    const base64 = Buffer.from(data as ArrayBuffer).toString('base64');
    this.#output.result({ event: 'message', base64 }, `(binary, in base64) ${base64}`);
  }

  #closed(code: number, reason: string): void {
    if (!shouldReconnect(code)) {
      this.#giveUp({ event: 'closed', code, reason }, `closed for good: ${code} ${reason}`);
      return;
    }
    const waitMs = this.#again(toldToWait(reason));
    sayEvent(
      { event: 'reconnecting', code, reason, waitMs },
      `closed: ${code} ${reason}; again in ${waitMs} ms`,
    );
  }

  async #refused(): Promise<void> {
    const refused = await whyRefused(this.#url, this.#headers);
    if (this.#stopped) return;
    const why = refused === undefined ? 'it would take it now' : sayingOf(refused);
    const event = { event: 'cannot-connect', url: this.#name, why };
    // asking again would be answered alike
    if (refused?.status !== undefined && isForGood(refused.status)) {
      this.#giveUp(event, `cannot connect to ${this.#name}: ${why}`);
      return;
    }
    const waitMs = this.#again(undefined);
    sayEvent({ ...event, waitMs }, `cannot connect to ${this.#name}: ${why}; again in ${waitMs} ms`);
  }

  #again(told: number | undefined): number {
    const own = Math.random() * Math.min(longestWaitMs, 100 * 2 ** this.#failures++);
    const waitMs = Math.round(told ?? own);
    this.#timer = setTimeout(() => this.#connect(), waitMs);
    return waitMs;
  }

  #giveUp(event: object, text: string): void {
    sayEvent(event, text);
    this.exitCode = 1;
    this.stop();
  }

  #send(line: string): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(line);
    else if (this.#waiting.length < maxWaitingLines) this.#waiting.push(line);
    else sayEvent({ event: 'dropped', line }, `dropped, ${maxWaitingLines} lines wait already: ${line}`);
  }
}

function sayingOf({ status, text }: Refused): string {
  return status === undefined ? `it cannot be reached: ${text}` : `${status} ${text}`;
}

/** Too many connections, or too slow a request: that passes. */
function isForGood(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
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
