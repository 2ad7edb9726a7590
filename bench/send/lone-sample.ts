import { numberedMessage } from '@pinwheel/bench/load/message-number.js';
import { anyOf, userNames } from '@pinwheel/bench/load/users.js';
import { buildRing } from '@pinwheel/ring';
import { createSender } from '@pinwheel/sender';
import { build } from 'hdr-histogram-js';
import { Pool } from 'undici';
import { hand } from '../kit/fresh-process.js';
import { Service } from './service.js';

const [contender, ...rest] = process.argv.slice(2);
const warmUp = 2000;
const measured = rest.includes('--quick') ? 2000 : 20_000;

const service = await Service.start(['n1', 'n2', 'n3']);
const users = userNames(1000);
await service.clients.ask({ connect: users });
const next = anyOf(users);
const send = contender === 'sender' ? await throughSender() : throughUndici();

const times = build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000 });
let number = 0;
while (number < warmUp) await send(next(), numberedMessage(number++));
while (number < warmUp + measured) {
  const start = performance.now();
  await send(next(), numberedMessage(number++));
  times.recordValue(Math.round((performance.now() - start) * 1000));
}
const counts = await service.arrived();
const arrivedOnce = counts.subarray(0, number).reduce((sum, count) => sum + (count === 1 ? 1 : 0), 0);
await service.stop();
hand({
  p50Ms: times.getValueAtPercentile(50) / 1000,
  p99Ms: times.getValueAtPercentile(99) / 1000,
  maxMs: times.maxValue / 1000,
  notArrivedOnce: number - arrivedOnce,
});
process.exit();

async function throughSender(): Promise<(user: string, data: string) => Promise<void>> {
  const sender = createSender({ membership: service.membership() });
  await sender.ready();
  return async (user, data) => {
    const { status } = await sender.send(user, data);
    if (status !== 'delivered') throw new Error(`a message was ${status}`);
  };
}

function throughUndici(): (user: string, data: string) => Promise<void> {
  const ring = buildRing(service.members.map(({ id }) => ({ id })));
  const pools = new Map(
    service.members.map(({ id, port }) => [id, new Pool(`http://127.0.0.1:${port}`, { connections: 1 })]),
  );
  return async (user, data) => {
    const answer = await pools.get(ring.owner(user)!)!.request({
      method: 'POST',
      path: `/v1/users/${user}/messages`,
      headers: { 'content-type': 'text/plain' },
      body: data,
    });
    await answer.body.json();
    if (answer.statusCode !== 200) throw new Error(`a message was answered with ${answer.statusCode}`);
  };
}
