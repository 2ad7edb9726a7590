import { PinwheelError } from '@pinwheel/protocol';
import {
  App,
  closeListenSocket,
  exclusivePort,
  localPort,
  sharedPort,
  type TemplatedApp,
  type us_listen_socket,
  type us_socket,
} from './uws.js';

export interface Listening {
  readonly port: number;
  /** Takes no more connections; those that are there go on. May be called twice. */
  stop(): void;
}

type ListenWithOptions = (
  host: string,
  port: number,
  options: number,
  call: (socket: us_listen_socket | false) => void,
) => void;

/**
 * Listens on a port of its own; 0 picks a free one.
 *
 * @throws PinwheelError (rejects) `listen` that names the port and its option.
 */
export async function listen(
  app: TemplatedApp,
  host: string,
  port: number,
  option: string,
): Promise<Listening> {
  return listenNow(app, { host, port, option }, exclusivePort);
}

/** Where is listened, and which option says so. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  readonly option: string;
}

/**
 * Listens where other sockets of this process may listen, too. Whoever shares a port does so with every process of the
 * same user, in silence: see to it before that nobody has it (`freeAddress`).
 *
 * @throws PinwheelError `listen`.
 */
export function listenShared(app: TemplatedApp, address: ListenAddress): Listening {
  return listenNow(app, address, sharedPort);
}

/**
 * The address, with a free port for 0, after a look whether anybody listens there.
 *
 * @throws PinwheelError `listen`.
 */
export function freeAddress(address: ListenAddress): ListenAddress {
  const probe = listenNow(App(), address, exclusivePort);
  probe.stop();
  return { ...address, port: probe.port };
}

function listenNow(app: TemplatedApp, { host, port, option }: ListenAddress, sharing: number): Listening {
  let listening: us_listen_socket | false = false;
  // the types lack this form; the function has it, and calls back before it returns
  (app.listen as unknown as ListenWithOptions).call(app, host, port, sharing, (socket) => {
    listening = socket;
  });
  const socket = listening as us_listen_socket | false;
  if (socket === false) {
    const hint = 'is it in use, or the address not of this machine? Choose another one';
    throw new PinwheelError('listen', `cannot listen on ${host} port ${port} (${option}): ${hint}`);
  }
  let open = true;
  return {
    port: localPort(socket as unknown as us_socket),
    stop: () => {
      if (open) closeListenSocket(socket);
      open = false;
    },
  };
}
