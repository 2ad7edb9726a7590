import { setTimeout as pause } from 'node:timers/promises';
import type { NodeClients, Sender } from '@pinwheel/sender';

const longestMs = 500;

/** What an application sends as its sessions end has half a second to leave, whatever its deadline: a node waits for nothing else. */
export async function closeSending(sender: Sender, clients: NodeClients): Promise<void> {
  const timer = new AbortController();
  const late = pause(longestMs, undefined, { signal: timer.signal }).catch(() => {});
  await Promise.race([sender.close(), late]);
  timer.abort();
  await clients.close();
}
