import type { Server } from 'node:http';
import httpProxy from 'http-proxy';

/** node-http-proxy as its own documentation shows it, with an agent-free upgrade and no more than it needs to run. */
export function bareProxy(server: Server, backendPort: number): void {
  const proxy = httpProxy.createProxyServer({ target: { host: '127.0.0.1', port: backendPort }, ws: true });
  proxy.on('error', () => {});
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {});
    proxy.ws(request, socket, head);
  });
}
