import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '@pinwheel/bench/load/free-ports.js';
import { maxDescriptors } from '@pinwheel/bench/load/process-usage.js';
import type { Nodes } from './nodes.js';
import type { RunningProxy } from './proxy.js';
import { startServerProgram } from './server-program.js';

/** One worker, so that it may use as much of the machine as an edge; no log; buffers as they come. */
export async function startNginx(nodes: Nodes): Promise<RunningProxy> {
  const port = await freePort();
  const servers = nodes.members.map(({ address, wsPort }) => `    server ${address}:${wsPort};`);
  const { folder } = nodes;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `  ${kind}_temp_path ${join(folder, kind)};`,
  );
  const config = [
    'daemon off;',
    'worker_processes 1;',
    `pid ${join(folder, 'nginx.pid')};`,
    'error_log stderr error;',
    `events { worker_connections ${maxDescriptors() - 100}; }`,
    'http {',
    '  access_log off;',
    ...temporary,
    '  upstream nodes {',
    '    hash $arg_user consistent;',
    ...servers,
    '  }',
    '  server {',
    `    listen 127.0.0.1:${port} backlog=4096;`,
    '    location /ws {',
    '      proxy_pass http://nodes;',
    '      proxy_http_version 1.1;',
    '      proxy_set_header Upgrade $http_upgrade;',
    '      proxy_set_header Connection "Upgrade";',
    '      proxy_read_timeout 1h;',
    '      proxy_send_timeout 1h;',
    // a node says no to users who are not its own, which is no failure of the node
    '      proxy_next_upstream off;',
    '    }',
    '  }',
    '}',
  ];
  const path = join(folder, 'nginx.conf');
  await writeFile(path, `${config.join('\n')}\n`);
  return startServerProgram('nginx', ['-p', folder, '-e', 'stderr', '-c', path], port!);
}
