/** One message on its way to a user. */
export interface Message {
  readonly user: string;
  /** The payload; in a decoded batch a view into the batch, valid as long as that is. */
  readonly data: Uint8Array;
  /** Whether clients get a binary frame rather than a text frame. */
  readonly binary: boolean;
  /** Chosen by whoever sent it first, 1–64 bytes of printable ASCII; a message sent again keeps it. */
  readonly id: string;
  /** `true`: the receipt waits for the client's acknowledgement. */
  readonly waitForClient: boolean;
  /** May have been tried before: whoever delivers it compares its id with those that it knows. */
  readonly repeated: boolean;
}

export const maxUserBytes = 256;
export const maxMessageBytes = 1_048_576;
export const maxBatchMessages = 16_384;
export const maxBatchBytes = 16_777_216;
export const maxIdBytes = 64;

const idPattern = /^[\x21-\x7e]{1,64}$/;

export function isMessageId(id: unknown): id is string {
  return typeof id === 'string' && idPattern.test(id);
}
