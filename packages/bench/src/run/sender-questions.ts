import type { StrategySettings } from '@pinwheel/strategy';

export interface SenderProcessOptions {
  readonly strategy: StrategySettings;
  readonly maxMessagesPerPost?: number;
  /** File. */
  readonly members: string;
  readonly users: number;
  readonly payloadBytes: number;
  /** Messages that are under way when saturated: the sender must have room for them. */
  readonly outstanding: number;
}

/** How messages are sent. */
export type Load =
  | { readonly kind: 'steady'; readonly perSecond: number }
  | { readonly kind: 'saturation'; readonly outstanding: number };

export type SenderQuestion =
  /** Answered with the port to which clients say how many messages they have, as a double, where that is asked of them. */
  | { readonly kind: 'feedback-port' }
  /** Answered with `Begun`. */
  | Load
  /** Sends no more. Answered with the number after the last one, when all have their receipts. */
  | { readonly kind: 'end' }
  /** Answered with `SenderUsage`. */
  | { readonly kind: 'usage' }
  /** Answered with a `Uint8Array`: what each message's receipt says. */
  | { readonly kind: 'statuses'; readonly from: number; readonly to: number };

export interface Begun {
  /** Number of the first message. */
  readonly from: number;
  /** When it was due, by the clock that all processes share. */
  readonly startMicros: number;
}

export interface SenderUsage {
  readonly cpuMicros: number;
  readonly memoryBytes: number;
  /** Payload copies handed to nodes or to a queue, and their bytes. */
  readonly copies: number;
  readonly bytes: number;
}

/** In what the sender says of a message's receipt. */
export const receiptMeaning = { taken: 1, refused: 2, inDoubt: 3 } as const;
