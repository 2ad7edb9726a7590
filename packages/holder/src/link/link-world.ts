import type { AttachRequest } from '@pinwheel/protocol';
import type { LinkSession } from '../users/link-session.js';
import type { NodeLink } from './node-link.js';

/** The socket of a link. */
export interface LinkSocket {
  /** The bytes are of use only during the call. */
  send(bytes: Uint8Array): void;
  /** Bytes that the other end has not read. */
  readonly unreadBytes: number;
  close(code: number, reason: string): void;
}

/** What a link's frames lead to. */
export interface LinkEvents {
  /** Before frames are read: this process may have stood still since it read the last ones. */
  reading(): void;
  /** The edge has said who it is. */
  greeted(link: NodeLink): void;
  attach(request: AttachRequest, link: NodeLink): void;
  /** A MESSAGE or SEND of the session's client; the bytes are of use only during the call. */
  client(session: LinkSession, frame: Uint8Array): void;
  /** The session is over, by the word of its edge. */
  closed(session: LinkSession, code: number, reason: string): void;
  /** The link is gone, and what was pinned to it away. */
  lost(link: NodeLink): void;
}

export interface NodeLinkOptions {
  readonly node: string;
  readonly incarnation: string;
  /** A clock that does not go backwards, in ms. */
  readonly now: () => number;
  /** Calls at the end of this turn of the event loop. */
  readonly soon: (call: () => void) => void;
  readonly keepAliveMs: number;
  /** Messages are not written to a link with more unread bytes. */
  readonly maxUnreadBytes: number;
  readonly resumeWindowMs: number;
  readonly counters: LinkCounters;
}

/** Of all links of a node. */
export interface LinkCounters {
  opened: number;
  lost: number;
  protocolErrors: number;
  /** Frames for sessions that were over. */
  stale: number;
}
