import { PinwheelError } from '@pinwheel/protocol';
import { leadsToLoopback } from './is-loopback.js';

/**
 * Where whoever is on this machine may call, the pages of others that a browser on it has open may not: it sends a page's
 * POST anywhere, and opens its WebSockets anywhere.
 *
 * @param origin the header; empty or `undefined` when no page asks.
 * @throws PinwheelError `not-allowed` for a page that is not of this machine.
 */
export function refuseForeignPage(origin: string | undefined): void {
  if (origin === undefined || origin === '' || isOfThisMachine(origin)) return;
  throw new PinwheelError(
    'not-allowed',
    `a page of the origin ${JSON.stringify(origin.slice(0, 80))} may not ask this; without keys only pages of this machine may: give keys, or call from a server`,
  );
}

function isOfThisMachine(origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  return leadsToLoopback(url) || url.hostname.endsWith('.localhost');
}
