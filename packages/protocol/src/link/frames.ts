import type { Receipt } from '../receipt.js';

/** The version of the link that both ends say in HELLO. */
export const linkVersion = 1;
export const maxLinkMessageBytes = 16_777_216;

/** Everything of `stream` up to and including `seq`. */
export interface Position {
  readonly stream: string;
  readonly seq: number;
}

/** ATTACH: pins a session to the node at the other end. */
export interface AttachRequest {
  /** Of the link; never used twice on it. */
  readonly session: number;
  /** Whether the client speaks `pinwheel.v1`, and so acknowledges and can resume. */
  readonly acknowledges: boolean;
  /** `false`: from the end of the stream; `true`: behind `positions`. */
  readonly resumes: boolean;
  readonly epoch: number;
  /** Names the session for good, on whatever link. */
  readonly key: string;
  readonly user: string;
  /** Of the ring by which the edge chose this node. */
  readonly fingerprint: string;
  /** What REPIN said; else empty. */
  readonly handoff: string;
  readonly positions: readonly Position[];
}

/** ATTACHED: what the session is sent follows behind `seq`. */
export interface Attached {
  readonly session: number;
  /** `false`: something between the position and `seq` is lost. */
  readonly recovered: boolean;
  readonly stream: string;
  readonly seq: number;
  /** The last of the client's numbers that was processed. */
  readonly taken: number;
  readonly resumeWindowMs: number;
}

/**
 * What an edge says to a node, one call a frame: a writer is called to send, a reader calls. Data that a reader hands
 * over is a view into the link message.
 */
export interface EdgeFrames {
  hello(version: number, edge: string, incarnation: string): void;
  attach(request: AttachRequest): void;
  /** @param frame a MESSAGE or SEND of `pinwheel.v1`. */
  client(session: number, frame: Uint8Array): void;
  ack(session: number, seq: number): void;
  pause(session: number): void;
  continue(session: number): void;
  detach(session: number, seq: number): void;
  closed(session: number, code: number, reason: string): void;
  leave(session: number, code: number, reason: string): void;
  ping(number: number): void;
  pong(number: number): void;
}

/** What a node says to an edge, the same way; its messages are written from their parts and read as they are. */
export interface NodeFrames {
  hello(version: number, node: string, incarnation: string): void;
  attached(attached: Attached): void;
  repin(session: number, to: string, handoff: string): void;
  taken(session: number, number: number): void;
  receipt(session: number, number: number, receipt: Receipt): void;
  close(session: number, code: number, reason: string): void;
  ping(number: number): void;
  pong(number: number): void;
}

export interface NodeFramesOut extends NodeFrames {
  message(session: number, seq: number, id: string, binary: boolean, data: Uint8Array): void;
  reply(session: number, binary: boolean, data: Uint8Array): void;
}

/** A MESSAGE or REPLY of `pinwheel.v1` in a link message. It is good until the call that it is handed to returns. */
export interface FrameInPlace {
  /** A view of the frame. */
  whole(): Uint8Array;
  /** A view of its data alone. */
  data(): Uint8Array;
}

export interface NodeFramesIn extends NodeFrames {
  message(session: number, seq: number, binary: boolean, frame: FrameInPlace): void;
  reply(session: number, binary: boolean, frame: FrameInPlace): void;
}
