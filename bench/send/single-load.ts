import { numberedMessage } from '@pinwheel/bench/load/message-number.js';
import { MessageNumbers } from '@pinwheel/bench/load/message-numbers.js';
import { anyOf } from '@pinwheel/bench/load/users.js';
import type { StaticMember } from '@pinwheel/membership';
import type { Receipt } from '@pinwheel/protocol';
import { buildRing } from '@pinwheel/ring';
import { Pool } from 'undici';
import { Ledger } from './ledger.js';
import type { Load } from './load.js';

const connectionsPerNode = 10;

/** One request for each message, as somebody would write it who has the ring and undici, and no sender of ours. */
export function singleLoad(
  members: readonly StaticMember[],
  users: readonly string[],
  numbers = new MessageNumbers(),
): Load {
  const ring = buildRing(members.map(({ id }) => ({ id })));
  const pools = new Map(
    members.map(({ id, address, port }) => [
      id,
      new Pool(`http://${address}:${port}`, { connections: connectionsPerNode, pipelining: 1 }),
    ]),
  );
  const ledger = new Ledger();
  const next = anyOf(users);
  let stopped = false;

  const sendOne = async (): Promise<void> => {
    const number = numbers.take();
    const user = next();
    const answer = await pools.get(ring.owner(user)!)!.request({
      method: 'POST',
      path: `/v1/users/${encodeURIComponent(user)}/messages`,
      headers: { 'content-type': 'text/plain' },
      body: numberedMessage(number),
    });
    ledger.enter(number, (await answer.body.json()) as Receipt);
  };
  const keepSending = async (): Promise<void> => {
    while (!stopped) await sendOne();
  };
  const lines = Array.from({ length: connectionsPerNode * members.length }, keepSending);
  return {
    ledger,
    messagesPerRequest: 1,
    async stop() {
      stopped = true;
      await Promise.all(lines);
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
  };
}
