import { type Log, silentLog } from '@pinwheel/membership';

/** What may still come for a client that does not read, in bytes, before it is closed: a burst is no fault of its own. */
export const maxPausedBytes = 4_194_304;
/** Time from the dial of a link to the node's HELLO, in ms. */
export const linkHelloMs = 2000;
/** Time that a `pinwheel.v1` client has for its hello, in ms. */
export const clientHelloMs = 10_000;
/** A session that is not attached for so long is closed, in ms. */
export const unattachedMs = 30_000;
/** A member that is back within this time was never gone, in ms. */
export const graceMs = 5000;

/** The times and bounds of an edge's links and sessions. PROTOCOL.md says what each is for. */
export interface EdgeCoreOptions {
  readonly id: string;
  /** Random at start. */
  readonly incarnation: string;
  /** A link on which nothing was heard for so long is closed, in ms. Default 6,000. */
  readonly keepAliveMs?: number;
  /** A client that takes nothing for so long while something waits for it is closed, in ms. Default 10,000. */
  readonly stalledMs?: number;
  /** Time over which a drain has the clients come back, in ms. Default 10,000. */
  readonly drainMs?: number;
  /** How many sessions that have lost their node are attached again each second. Default 5,000. */
  readonly attachesPerSecond?: number;
  /** Largest message of a client, in bytes. Default 65,536. */
  readonly maxInboundBytes?: number;
  /** What may still come for a client that does not read, in bytes, before it is closed. Default 4,194,304. */
  readonly maxPausedBytes?: number;
  readonly log?: Log;
}

export type ResolvedEdgeCoreOptions = Required<EdgeCoreOptions>;

export function resolveEdgeCoreOptions(options: EdgeCoreOptions): ResolvedEdgeCoreOptions {
  return {
    keepAliveMs: 6000,
    stalledMs: 10_000,
    drainMs: 10_000,
    attachesPerSecond: 5000,
    maxInboundBytes: 65_536,
    maxPausedBytes,
    log: silentLog,
    ...options,
  };
}
