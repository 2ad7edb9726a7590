import type { ServerResponse } from 'node:http';

/** Whether nobody waits for this answer any more. One that waits behind another is not told of its connection's end. */
export function isGone(response: ServerResponse): boolean {
  return response.destroyed || response.req.socket.destroyed;
}
