/** Bounds of what crosses a link or goes to a client beside data, in bytes of UTF-8. */
export const maxKeyBytes = 64;
export const maxStreamBytes = 64;
/** Of a node's or an edge's id. */
export const maxMemberBytes = 64;
export const maxIncarnationBytes = 64;
export const maxFingerprintBytes = 64;
export const maxHandoffBytes = 128;
/** What a WebSocket close frame has room for. */
export const maxReasonBytes = 123;
/** Of a receipt in JSON. */
export const maxReceiptBytes = 16_384;
export const maxTokenBytes = 8192;
/** Of a text message of `pinwheel.v1`, in UTF-16 units: room for the largest token and the largest receipt. */
export const maxControlLength = 32_768;

/** How many streams a position names. */
export const maxPositions = 8;
export const minCloseCode = 1000;
export const maxCloseCode = 4999;
export const maxU32 = 0xffff_ffff;
