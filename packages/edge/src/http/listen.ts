import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PinwheelError } from '@pinwheel/protocol';

/**
 * Starts a server.
 *
 * @returns the port it listens on.
 * @throws PinwheelError `listen` that names host and port.
 */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException): void => {
      const why = cause.code === 'EADDRINUSE' ? 'another process listens there already' : cause.message;
      reject(new PinwheelError('listen', `cannot listen on ${host} port ${port}: ${why}`, { cause }));
    };
    server.once('error', onError);
    server.listen(port, host, () => {
      server.off('error', onError);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
