import { readFileSync } from 'node:fs';
import { pause } from '@pinwheel/bench/load/pause.js';

/** A proxy of another make takes a port for every connection, of some 28,000; those of the runs before are kept for a minute. */
const mostTaken = 4000;
const deadlineMs = 70_000;
const everyMs = 500;

/** Resolves when connections of earlier runs have left TIME-WAIT, so that there are ports for those of this one. */
export async function portsGivenBack(): Promise<void> {
  if (taken() <= mostTaken) return;
  process.stderr.write(
    `waiting until at most ${mostTaken} of ${taken()} closed connections keep their ports\n`,
  );
  const deadline = performance.now() + deadlineMs;
  while (taken() > mostTaken) {
    if (performance.now() > deadline) {
      throw new Error(
        `after ${deadlineMs} ms ${taken()} closed connections keep their ports; does something else run?`,
      );
    }
    await pause(everyMs);
  }
}

/** Connections in TIME-WAIT, of the whole machine. */
function taken(): number {
  const found = /^TCP: .*\btw (\d+)/m.exec(readFileSync('/proc/net/sockstat', 'latin1'));
  if (found === null) throw new Error('no TIME-WAIT in what the kernel says');
  return Number(found[1]);
}
