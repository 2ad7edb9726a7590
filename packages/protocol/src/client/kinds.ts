/** The first byte of a client's binary message. */
export const clientKinds = { message: 1, binaryMessage: 2, send: 3, binarySend: 4, ack: 5 } as const;

/** The first byte of a server's binary message. */
export const serverKinds = { message: 1, binaryMessage: 2, reply: 3, binaryReply: 4, taken: 5 } as const;
