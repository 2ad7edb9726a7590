import type { RingMember } from '@pinwheel/ring';

/** A process that can own users, as membership knows it. Immutable. */
export interface Member extends RingMember {
  readonly id: string;
  /** Host name or IP address, without brackets. */
  readonly address: string;
  /** A node's internal port (API, metrics); a foreign backend's WebSocket port. */
  readonly port: number;
  /** Where a node serves WebSockets; missing for a foreign backend and for a node that serves none. */
  readonly wsPort?: number;
  readonly weight: number;
  /** Still there to hand its users over, but in nobody's next ring. */
  readonly draining: boolean;
  /** `node` for a Pinwheel node, `foreign` for any other server that an edge tunnels to. */
  readonly kind: 'node' | 'foreign';
  /** Random at start, so that a restarted node is not taken for the old one. Unknown until it was heard. */
  readonly incarnation?: string;
  /** Digest of the ring settings the member runs with, and the same in words. Foreign backends have none. */
  readonly settingsDigest?: string;
  readonly settingsText?: string;
}

/** Everybody who is in the service at one moment. Two views with equal members have equal digests. */
export interface MembersView {
  /** In the order of their ids; ids are unique. */
  readonly members: readonly Member[];
  /** Hash of the normalised members: a wake-up with the same digest is no change. */
  readonly digest: string;
  /** The source's own counter, as text: a hint of who is behind. It can go backwards: never order by it. */
  readonly index: string;
  /** Entries that were left out, with the reason: a silly address, a repeated id. */
  readonly ignored: readonly { readonly id: string; readonly reason: string }[];
}

/** What a source of members tells its watcher. */
export interface MembershipListener {
  /** The first view, and each one that differs from the last in its members or in what it left out. */
  view(view: MembersView): void;
  /** The source could not be read; it goes on trying. Called once per failed try. */
  trouble(error: Error): void;
  /** The source was read, changed or not: the last view is not stale. */
  fresh(): void;
  /** Another process is registered under the id of a node that registered here. Called at each look. */
  conflict?(entry: { readonly id: string; readonly reason: string }): void;
}

/** How a node enters the service; the same fields as a member, without what the source finds out itself. */
export interface Registration {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly wsPort?: number;
  readonly weight: number;
  readonly incarnation: string;
  readonly settingsDigest: string;
  readonly settingsText: string;
}

/** A node's own entry. */
export interface Registered {
  /** Says to everybody that this node is about to leave. May be called twice. Rejects past the source's deadline. */
  drain(): Promise<void>;
  /** Takes the entry out. May be called twice. Rejects past the source's deadline. */
  leave(): Promise<void>;
  /**
   * Missing where a source tells everybody of a drain. Where the others ask the node itself, each has asked once within this
   * time, in ms: they hear nothing of one that has ended before.
   */
  readonly askedWithinMs?: number;
}

/** Where a member listens. */
export interface MemberPorts {
  readonly port: number;
  readonly wsPort?: number;
}

/**
 * Who is in the service now. One contract, several sources. A source knows nothing of rings: what becomes of its
 * views is the ring tracker's business. It works only while somebody watches or an entry is registered, so that a
 * process that has ended every watch and left can exit without `close`.
 */
export interface Membership {
  /** In words, for logs and errors: `consul 127.0.0.1:8500, service chat`. */
  readonly description: string;
  /**
   * Begins to watch; several watches share one source. The listener is called later, never from inside this
   * call. Returns the call that ends this watch (may be called twice); the listener is not called afterwards.
   */
  watch(listener: MembershipListener): () => void;
  /**
   * Reads the source now rather than at its next wake-up; resolves when it was read or the try failed, and the
   * watches have been told. At once when nobody watches.
   */
  refresh(): Promise<void>;
  /**
   * The ports that a member has to have; missing where a source takes whatever is entered, `undefined` for one that is not known.
   * Rejects when the source cannot be read.
   */
  portsOf?(id: string): Promise<MemberPorts | undefined>;
  /**
   * Enters a node, which must already answer `GET /healthz`, and go on doing so until it has left. Rejects with what
   * the source said, past its deadline, or when it cannot take entries.
   */
  register(self: Registration): Promise<Registered>;
  /** Ends every watch and wait; no listener is called afterwards. Does not take entries out. May be called twice. */
  close(): Promise<void>;
}
