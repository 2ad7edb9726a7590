import { maxMessages } from '@pinwheel/bench/load/message-number.js';
import { MessageNumbers } from '@pinwheel/bench/load/message-numbers.js';
import { pause } from '@pinwheel/bench/load/pause.js';
import { inProcessMembership } from '@pinwheel/membership';
import { createNode } from '@pinwheel/node';
import { ClosedLoop } from '../../bench/link/closed-loop.js';
import type { Load } from '../../bench/send/load.js';
import { SenderLoad } from '../../bench/send/sender-load.js';
import { singleLoad } from '../../bench/send/single-load.js';

/** A sample whose load has numbers for 20 messages. `goes-on`: it stops the load although that has failed. */
const [kind, goesOn] = process.argv.slice(2);
if (goesOn === 'goes-on') process.on('unhandledRejection', () => {});

const membership = inProcessMembership();
const node = await createNode({ id: 'n1', membership });
const members = [{ id: node.id, address: '127.0.0.1', port: node.port, wsPort: node.wsPort }];
const users = ['alice', 'bob'];
const numbers = new MessageNumbers();
numbers.take(maxMessages - 20);

const load = await start();
await pause(2000);
process.stdout.write('measured\n');
await load.stop();
process.exit();

async function start(): Promise<Pick<Load, 'stop'>> {
  if (kind === 'sender') return SenderLoad.start({ membership }, users, 10, numbers);
  if (kind === 'single') return singleLoad(members, users, numbers);
  const received = async (): Promise<number> => 0;
  return new ClosedLoop({ members, users, outstanding: 1000, batch: 10, received, numbers });
}
