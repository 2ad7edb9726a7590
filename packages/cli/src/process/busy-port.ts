import { PinwheelError } from '@pinwheel/protocol';
import { programName } from './program-name.js';

/** Of the first edge; whatever else `up` listens on is a node's. */
export interface EdgePorts {
  readonly port: number;
  readonly adminPort: number;
}

/** Whoever starts a second ring finds the ports of the first one taken: says which flag names it, and what to start. */
export function explainBusyPort(thrown: unknown, { port, adminPort }: EdgePorts): unknown {
  if (!(thrown instanceof PinwheelError) || thrown.code !== 'listen') return thrown;
  const message = thrown.message.replace(/ port (\d+)( \(port\))?:/, (_, busy: string) => {
    const isEdge = Number(busy) === port;
    const flag = isEdge ? '--port' : Number(busy) === adminPort ? '--admin-port' : '--node-port';
    return ` port ${busy} (${flag}):`;
  });
  const other = `${programName()} up --port 8090 --admin-port 0 --node-port 0`;
  return new PinwheelError('listen', `${message}; a second ring on this machine: ${other}`, {
    cause: thrown,
  });
}
