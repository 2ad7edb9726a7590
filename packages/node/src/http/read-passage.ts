import { headers, maxDeadlineMs, maxHops, PinwheelError } from '@pinwheel/protocol';
import type { Passage } from '../delivery/passage.js';
import type { Exchange } from './exchange.js';
import { wholeNumber } from './whole-number.js';

/**
 * Reads how a request came and how much time it has.
 *
 * @param defaultMs the time of a request that does not say, in ms.
 * @throws PinwheelError `bad-request` that names the header, the value and the bound.
 */
export function readPassage(exchange: Exchange, now: number, defaultMs: number): Passage {
  const noForward = exchange.header(headers.noForward);
  if (noForward !== undefined && noForward !== '1') {
    throw new PinwheelError(
      'bad-request',
      `${headers.noForward} is ${JSON.stringify(noForward.slice(0, 80))}; it must be 1 or missing`,
    );
  }
  return {
    hops: readWhole(exchange, headers.hops, 0, maxHops, 0),
    noForward: noForward === '1',
    deadline: now + readWhole(exchange, headers.deadlineMs, 1, maxDeadlineMs, defaultMs),
  };
}

/**
 * Whether the receipt waits for the client.
 *
 * @throws PinwheelError `bad-request`.
 */
export function readWait(exchange: Exchange): boolean {
  const wait = exchange.header(headers.wait);
  if (wait === undefined || wait === 'client') return wait === 'client';
  throw new PinwheelError(
    'bad-request',
    `${headers.wait} is ${JSON.stringify(wait.slice(0, 80))}; it must be client or missing`,
  );
}

function readWhole(exchange: Exchange, name: string, least: number, most: number, missing: number): number {
  const text = exchange.header(name);
  if (text === undefined) return missing;
  const value = wholeNumber(text, 9);
  if (value >= least && value <= most) return value;
  throw new PinwheelError(
    'bad-request',
    `${name} is ${JSON.stringify(text.slice(0, 80))}; it must be a whole number between ${least} and ${most}`,
  );
}
