/** The subprotocol that a client offers. */
export const clientProtocol = 'pinwheel.v1';

/** A client's control messages: JSON in text messages. */
export type ClientControl =
  | {
      readonly type: 'hello';
      /** 16–64 of `A–Z a–z 0–9 _ -`. */
      readonly session: string;
      readonly epoch: number;
      /** Missing at the first connection: from the end of the stream. */
      readonly positions?: readonly (readonly [stream: string, seq: number])[];
    }
  | { readonly type: 'ping' }
  | { readonly type: 'token'; readonly token: string };

/** A server's control messages. */
export type ServerControl =
  | {
      readonly type: 'welcome';
      readonly session: string;
      readonly stream: string;
      readonly seq: number;
      readonly recovered: boolean;
      readonly taken: number;
      readonly resumeWindowMs: number;
      /** Largest message that a client may send here. */
      readonly maxMessageBytes: number;
    }
  | { readonly type: 'pong' }
  | { readonly type: 'renew' }
  | { readonly type: 'receipt'; readonly number: number; readonly receipt: ClientReceipt };

/** What became of a message to another user. */
export interface ClientReceipt {
  readonly user: string;
  readonly status: string;
  readonly sessions?: number;
  readonly error?: { readonly code: string; readonly message: string };
}

/** A client's binary messages. Data is a view into the message. */
export type ClientFrame =
  | { readonly kind: 'message'; readonly number: number; readonly binary: boolean; readonly data: Uint8Array }
  | {
      readonly kind: 'send';
      readonly number: number;
      readonly binary: boolean;
      readonly waitForClient: boolean;
      /** It was taken before, and its sender has had no receipt. */
      readonly repeated: boolean;
      readonly to: string;
      readonly data: Uint8Array;
    }
  | { readonly kind: 'ack'; readonly welcomes: number; readonly seq: number };

/** A server's binary messages. Data is a view into the message. */
export type ServerFrame =
  | {
      readonly kind: 'message';
      readonly seq: number;
      readonly id: string;
      readonly binary: boolean;
      readonly data: Uint8Array;
    }
  | { readonly kind: 'reply'; readonly binary: boolean; readonly data: Uint8Array }
  | { readonly kind: 'taken'; readonly number: number };
