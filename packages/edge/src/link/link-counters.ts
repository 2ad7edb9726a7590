import { zeros } from '@pinwheel/metrics';

/** What became of an ATTACH. */
export const attachOutcomes = [
  'attached',
  'attached-with-gap',
  'repinned',
  'refused',
  'link-lost',
  'given-up',
] as const;
export type AttachOutcome = (typeof attachOutcomes)[number];

/** Why a client's connection to a link edge ended. */
export const sessionEnds = [
  'client-left',
  'closed-by-node',
  'too-slow',
  'token-expired',
  'rate-exceeded',
  'inbound-overflow',
  'unavailable',
  'hello-timeout',
  'too-large',
  'protocol-error',
  'drained',
  'cut',
] as const;
export type SessionEnd = (typeof sessionEnds)[number];

/** What an edge counts of its links and sessions: plain numbers, read when somebody asks for the metrics. */
export interface LinkCounters {
  readonly attaches: Record<AttachOutcome, number>;
  readonly ends: Record<SessionEnd, number>;
  /** MESSAGE and REPLY. */
  messagesToClients: number;
  messagesFromClients: number;
  /** Times that a node has sent a session elsewhere. */
  repins: number;
  /** Frames for sessions that are over, and messages that a session has had. */
  framesDropped: number;
  /** Times that a client was found not to read. */
  pauses: number;
  linksLost: number;
  protocolErrors: number;
}

export function linkCounters(): LinkCounters {
  return {
    attaches: zeros(attachOutcomes),
    ends: zeros(sessionEnds),
    messagesToClients: 0,
    messagesFromClients: 0,
    repins: 0,
    framesDropped: 0,
    pauses: 0,
    linksLost: 0,
    protocolErrors: 0,
  };
}
