/** What has come to a node by its queue. */
export interface QueueCounters {
  /** Payload copies, those for users who are not here among them. */
  copies: number;
  /** Posts in bytes. */
  bytes: number;
  unwanted: number;
  /** Posts that nobody could read. */
  unreadable: number;
  /** Messages for everybody that found too many others waiting. */
  broadcastsDropped: number;
  /** How often the queue was lost. */
  losses: number;
}

export function createQueueCounters(): QueueCounters {
  return { copies: 0, bytes: 0, unwanted: 0, unreadable: 0, broadcastsDropped: 0, losses: 0 };
}
