import type { Socket } from 'node:net';
import type { Member } from '@pinwheel/membership';
import type { Place } from '@pinwheel/server';
import type { CloseReason, TunnelCounters } from '../metrics/edge-counters.js';
import type { Tunnel } from './tunnel.js';

export interface TunnelOptions {
  readonly user: string;
  /** The user's point on the ring. */
  readonly hash: number;
  readonly member: Member;
  /** Has a listener for errors. */
  readonly client: Socket;
  /** Paused. */
  readonly backend: Socket;
  readonly closeTimeoutMs: number;
  readonly stalledMs: number;
  /** Counts what the client sends. */
  readonly place: Pick<Place, 'sent'>;
  readonly counters: TunnelCounters;
  /** Called once, when both sockets are closed. */
  readonly gone: (tunnel: Tunnel, reason: CloseReason) => void;
}
