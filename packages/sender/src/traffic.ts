/** Payload copies that a process has handed to others, counted as they leave; receipts are not. */
export interface Traffic {
  copies: number;
  /** As encoded. */
  bytes: number;
}

export function noTraffic(): Traffic {
  return { copies: 0, bytes: 0 };
}
