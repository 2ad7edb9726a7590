import type { CloseReason } from '../metrics/edge-counters.js';

interface Timed {
  readonly timer: NodeJS.Timeout;
}

interface Closing extends Timed {
  readonly reason: CloseReason;
  /** What the client will be told. */
  readonly frame: Buffer;
}

/** What a tunnel is doing. A close from the edge's side goes from `leaving` down; any end skips to `ending`. */
export type TunnelState =
  /** Bytes go both ways. */
  | { readonly kind: 'open' }
  /** The backend is to be told, at the end of the frame that the client is sending. */
  | ({ readonly kind: 'leaving' } & Closing)
  /** The backend was told; what it still sends goes to the client, up to its close frame or its end. */
  | ({
      readonly kind: 'parting';
      /** At which it has no more time, however much it sends. */
      readonly until: number;
      /** Bytes that had come from the backend when its patience began. */
      readonly heard: number;
    } & Closing)
  /** The backend did not end in time; the close frame waits for the end of the frame that it is sending. */
  | ({ readonly kind: 'closing' } & Closing)
  /** The client has its close frame; nothing goes either way any more. */
  | ({ readonly kind: 'told'; readonly reason: CloseReason } & Timed)
  /** One side has ended; the other gets what is left and follows. */
  | ({ readonly kind: 'ending'; readonly reason: CloseReason } & Timed)
  | { readonly kind: 'gone' };
