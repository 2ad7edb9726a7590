import t from 'tap';
import { drainTunnels } from '../src/tunnel/drain-tunnels.js';

async function delaysOf(count: number, windowMs: number): Promise<readonly number[]> {
  const delays: number[] = [];
  const tunnels = Array.from({ length: count }, () => ({
    close: (_code: number, reason: string) => void delays.push(JSON.parse(reason).retryAfterMs),
  }));
  await drainTunnels({ tunnels: new Set(tunnels), sockets: new Set(), closeIdle: () => {}, windowMs });
  return delays.sort((a, b) => a - b);
}

t.test(
  'clients come back spread over the time of the drain, and are away for half a minute at most',
  async (t) => {
    for (const [windowMs, longest] of [
      [2000, 2000],
      [300_000, 30_000],
    ] as const) {
      const delays = await delaysOf(1000, windowMs);
      t.equal(delays.length, 1000);
      t.ok(delays[0]! >= 0 && delays.at(-1)! <= longest, `${delays[0]} to ${delays.at(-1)}`);
      for (let i = 0; i < 1000; i += 100) t.ok(Math.abs(delays[i]! - (longest * i) / 1000) < longest / 100);
    }
  },
);
