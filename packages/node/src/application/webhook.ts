import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '@pinwheel/membership';
import { checkWhole, PinwheelError, withoutSecret } from '@pinwheel/protocol';
import { messageIds } from '@pinwheel/sender';
import { type HttpTarget, httpTarget } from '@pinwheel/server';
import { Pool } from 'undici';
import type { Application, SessionEvent } from './application.js';
import { CallSlots } from './call-slots.js';

export interface WebhookOptions {
  /** Where events are posted, `http:` or `https:`; a user and a password in it go as Basic authentication. */
  readonly url: string;
  /** Deadline of one try, in ms, its wait for a connection included; default 5000. */
  readonly timeoutMs?: number;
  /** Tries in all; default 4. Between them the wait doubles from up to 200 ms to up to 2 s, with full jitter. */
  readonly tries?: number;
  /** Connections to the webhook; default 16. That many users are served at a time. */
  readonly connections?: number;
}

/** So long the rest of an answer may have its connection, in ms: longer costs more than another one. */
const restMs = 500;
const mostRestBytes = 131_072;
const waits = { firstMs: 200, longestMs: 2000 };

/**
 * An application that posts every event as JSON:
 * `{"id","event":"connect"|"message"|"disconnect","user","session",…}` with `data` (text) or `base64` for a message.
 * A try that is repeated has the same `id`, and so has a message that is processed again because a node died, so that who
 * takes it twice can drop it. 2xx means done; another 4xx than 408 and 429 refuses for good; anything
 * else is tried again. In order for each user. A 4xx to `connect` refuses the client; when the webhook is away, the
 * client may come again.
 *
 * @throws PinwheelError `bad-option` for a URL that cannot be used and for a number outside its bounds.
 */
export function webhookApplication(options: WebhookOptions): Application & { close(): Promise<void> } {
  const { url, name, headers: credentials } = targetOf(options.url);
  const { timeoutMs = 5000, tries = 4, connections = 16 } = options;
  checkWhole('webhook timeoutMs', timeoutMs, 1, 60_000);
  checkWhole('webhook tries', tries, 1, 100);
  checkWhole('webhook connections', connections, 1, 1024);
  const pool = new Pool(url.origin, { connections, pipelining: 1, connect: { timeout: timeoutMs } });
  const slots = new CallSlots(connections);
  const closing = new AbortController();
  const newId = messageIds();
  const path = `${url.pathname}${url.search}`;
  const headers = { 'content-type': 'application/json', ...credentials };

  const statusOf = async (body: string, signal: AbortSignal): Promise<number> => {
    let rest: Promise<unknown> | undefined;
    try {
      const answer = await pool.request({ method: 'POST', path, headers, body, signal });
      // the status says it all: a body that is slow, or never ends, must not have the event sent again
      rest = answer.body.dump({ limit: mostRestBytes, signal: AbortSignal.timeout(restMs) }).catch(() => {});
      return answer.statusCode;
    } finally {
      // only when its connection is free: the pool gets no more than it has connections for
      if (rest === undefined) slots.giveBack();
      else void rest.then(() => slots.giveBack());
    }
  };

  const tryOnce = async (body: string): Promise<'done' | string> => {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs);
    let statusCode: number | undefined;
    try {
      // undici hears of an abort only when there is a connection; closing the pool cuts what is under way
      if (await slots.take(late.signal))
        statusCode = await Promise.race([statusOf(body, late.signal), aborted(late.signal)]);
    } catch (thrown) {
      if (!late.signal.aborted) return PinwheelError.from(thrown).message;
    } finally {
      clearTimeout(timer);
    }
    if (statusCode === undefined) return `no answer within ${timeoutMs} ms`;
    if (statusCode >= 200 && statusCode < 300) return 'done';
    const forGood = statusCode >= 400 && statusCode < 500 && statusCode !== 408 && statusCode !== 429;
    if (forGood) throw new PinwheelError('application', `webhook ${name} answered ${statusCode}`);
    return `answered ${statusCode}`;
  };

  const post = async (event: object, id = newId()): Promise<void> => {
    const body = JSON.stringify({ id, ...event });
    let last = '';
    for (let failures = 0; failures < tries && !closing.signal.aborted; failures++) {
      if (failures > 0) await pause(backoffMs(failures, waits), closing.signal);
      last = await tryOnce(body);
      if (last === 'done') return;
    }
    if (closing.signal.aborted) throw new PinwheelError('unavailable', 'the webhook is closed');
    throw new PinwheelError('unavailable', `webhook ${name} failed ${tries} times, last: ${last}`);
  };

  const named = ({ user, session }: SessionEvent) => ({ user, session });
  return {
    onConnect: (event) => post({ event: 'connect', ...named(event), edge: event.edge }),
    onMessage: (event) => post({ event: 'message', ...named(event), ...payload(event.data) }, event.id),
    onDisconnect: (event) =>
      post({ event: 'disconnect', ...named(event), code: event.code, reason: event.reason }),
    close: async () => {
      closing.abort();
      slots.close();
      await pool.destroy();
    },
  };
}

function payload(data: string | Buffer): { readonly data: string } | { readonly base64: string } {
  return typeof data === 'string' ? { data } : { base64: data.toString('base64') };
}

function targetOf(text: string): HttpTarget {
  const target = httpTarget(text);
  if (target !== undefined) return target;
  throw new PinwheelError(
    'bad-option',
    `webhook is ${JSON.stringify(withoutSecret(text))}; it must be an http: or https: URL`,
  );
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

/** Over at once when the signal comes. */
function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return sleep(delayMs, undefined, { signal }).catch(() => {});
}
