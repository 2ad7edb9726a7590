/** Headers of the node's HTTP API and of the upgrade that an edge sends to a node. */
export const headers = {
  /** Id of the message in the single-message form, 1–64 bytes of printable ASCII. */
  messageId: 'pinwheel-message-id',
  /** `client`: answer only when the client has acknowledged. */
  wait: 'pinwheel-wait',
  /** How often this request has been forwarded; at most 2. */
  hops: 'pinwheel-hops',
  /** `1`: answer 421 rather than forward. */
  noForward: 'pinwheel-no-forward',
  /** Milliseconds that are left for this request. */
  deadlineMs: 'pinwheel-deadline-ms',
  /** On an upgrade: the user, percent-encoded, as the edge admitted it. */
  user: 'pinwheel-user',
  /** Id of the edge that holds the client's connection. */
  edge: 'pinwheel-edge',
  /** Fingerprint of the ring by which the caller chose this node. */
  fingerprint: 'pinwheel-fingerprint',
  /** On 421: id of the member that owns the user by the answering node's ring. */
  owner: 'pinwheel-owner',
  /** That the call comes from a process of the same service; see the package trust. */
  proof: 'pinwheel-proof',
  /** On an answer: how many users this node holds that its ring gives to another node. */
  foreignUsers: 'pinwheel-foreign-users',
  /** On an answer to a batch: the turn at which this node's moves are by the ring of `fingerprint`. */
  turn: 'pinwheel-turn',
  /** On an answer to a batch: which of its messages went on to another node; see `writePlaces`. */
  passedOn: 'pinwheel-passed-on',
} as const;

/** The longest time that {@link headers.deadlineMs} may give, in ms. */
export const maxDeadlineMs = 60_000;

/** A message passes at most this many nodes after the first. */
export const maxHops = 2;
