import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '@pinwheel/bench/load/free-ports.js';
import type { Nodes } from './nodes.js';
import type { RunningProxy } from './proxy.js';
import { startServerProgram } from './server-program.js';

/** One thread, so that it may use as much of the machine as an edge; everything else as it comes. */
export async function startHaproxy(nodes: Nodes): Promise<RunningProxy> {
  const port = await freePort();
  const servers = nodes.members.map(({ id, address, wsPort }) => `  server ${id} ${address}:${wsPort}`);
  const config = [
    'global',
    '  nbthread 1',
    'defaults',
    '  mode http',
    '  timeout connect 5s',
    '  timeout client 1h',
    '  timeout server 1h',
    '  timeout tunnel 1h',
    'frontend clients',
    `  bind 127.0.0.1:${port}`,
    '  default_backend nodes',
    'backend nodes',
    '  balance url_param user',
    '  hash-type consistent',
    ...servers,
  ];
  const path = join(nodes.folder, 'haproxy.cfg');
  await writeFile(path, `${config.join('\n')}\n`);
  return startServerProgram('haproxy', ['-db', '-f', path], port!);
}
