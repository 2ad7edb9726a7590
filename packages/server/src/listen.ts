import { PinwheelError } from '@pinwheel/protocol';
import {
  closeListenSocket,
  exclusivePort,
  localPort,
  type TemplatedApp,
  type us_listen_socket,
  type us_socket,
} from './uws.js';

export interface Listening {
  readonly port: number;
  /** Takes no more connections; those that are there go on. May be called twice. */
  stop(): void;
}

type ExclusiveListen = (
  host: string,
  port: number,
  options: number,
  call: (socket: us_listen_socket | false) => void,
) => void;

/**
 * Listens on a port of its own; 0 picks a free one.
 *
 * @throws PinwheelError `listen` that names the port and its option.
 */
export function listen(app: TemplatedApp, host: string, port: number, option: string): Promise<Listening> {
  return new Promise((resolve, reject) => {
    // the types lack this form; the function has it
    (app.listen as unknown as ExclusiveListen).call(app, host, port, exclusivePort, (socket) => {
      if (socket === false) {
        const hint = 'is it in use, or the address not of this machine? Choose another one';
        reject(new PinwheelError('listen', `cannot listen on ${host} port ${port} (${option}): ${hint}`));
        return;
      }
      let open = true;
      resolve({
        port: localPort(socket as unknown as us_socket),
        stop: () => {
          if (open) closeListenSocket(socket);
          open = false;
        },
      });
    });
  });
}
