import { readdirSync } from 'node:fs';
import t from 'tap';
import { connectAndClose, endings } from '../bench/abuse/connect-and-close.js';
import { connected } from './kit/limited-client.js';
import { fronts, startFront } from './kit/limited-front.js';
import { until } from './kit/until.js';

const cycles = 500;
const atATime = 10;
const room = 20;

/** Of this process, in which clients and servers are: each connection has two while it is there. */
const descriptors = (): number => readdirSync('/proc/self/fd').length;

for (const kind of fronts) {
  t.test(`clients that come and go in every way leave nothing behind at ${kind}`, async (t) => {
    const front = await startFront(t, kind, {
      maxConnections: room,
      maxConnectionsPerUser: room,
      ...(kind === 'node' ? {} : { maxConnectionsPerAddress: room }),
    });
    // what is opened once, as links are, is there before
    await connectAndClose(front.port, 'alice', 'fin');
    const before = descriptors();
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < cycles) await connectAndClose(front.port, 'alice', endings[next++ % endings.length]!);
    };
    await Promise.all(Array.from({ length: atATime }, work));
    await until('every descriptor is closed', () => descriptors() <= before);
    for (let i = 0; i < room; i++) await connected(t, front.port, 'alice');
    t.ok('each place is there still: for the process, the user and the address');
  });
}
