/**
 * No client that an edge sends away is told to stay away for longer, in ms: half of the window in which a session can be
 * resumed, with the defaults. However slow the drain, other edges are there.
 */
export const longestAwayMs = 30_000;
