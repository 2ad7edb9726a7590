import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';
import type { Test } from 'tap';

/** Passes bytes between clients and a port of this machine, until the test wants it otherwise. */
export interface Relay {
  readonly port: number;
  /** Connections that are open now. */
  readonly open: number;
  /** Breaks every connection, as a router does that restarts. */
  cut(): void;
  /** Holds everything back without a word; connections made meanwhile are silent, too. */
  freeze(): void;
  /** What is connected from now on gets through. What was held back never does. */
  thaw(): void;
}

export async function startRelay(t: Test, to: number): Promise<Relay> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let isFrozen = false;
  const server = createServer((client) => {
    const target = dial(to, '127.0.0.1');
    const pair = [client, target] as const;
    pairs.add(pair);
    for (const [from, onward] of [pair, [target, client] as const]) {
      from.on('error', () => {});
      from.on('close', () => {
        onward.destroy();
        pairs.delete(pair);
      });
      if (!isFrozen) from.pipe(onward);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy();
  };
  t.teardown(() => {
    cut();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    get open() {
      return pairs.size;
    },
    cut,
    freeze: () => {
      isFrozen = true;
      for (const [client, target] of pairs) {
        client.unpipe(target);
        target.unpipe(client);
      }
    },
    thaw: () => {
      isFrozen = false;
    },
  };
}
