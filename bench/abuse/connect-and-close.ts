import { connect, type Socket } from 'node:net';

/** How a client ends that has been there for a moment. */
export const endings = ['reset', 'fin', 'close-frame', 'reset-in-head', 'refused'] as const;
export type Ending = (typeof endings)[number];

const head = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
const closeFrame = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);

/**
 * Connects, and ends as it is told; resolves when the connection is over.
 *
 * @param localAddress where from: each address has 28,000 ports, and those of the last minute may be taken.
 * @throws Error (rejects) when the server does not answer as it should.
 */
export function connectAndClose(
  port: number,
  user: string,
  ending: Ending,
  localAddress = '127.0.0.1',
): Promise<void> {
  const text = head(ending === 'refused' ? '/nowhere' : `/ws?user=${user}`);
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
    let answer = '';
    let failure = 'none';
    socket.on('error', (error) => {
      failure = error.message;
    });
    socket.on('data', (chunk) => {
      const isFirst = answer === '';
      answer ||= chunk.toString('latin1', 0, 12);
      if (isFirst) end(socket, ending);
    });
    socket.once('close', () => {
      const expected = ending === 'refused' ? /^HTTP\/1.1 4/ : /^HTTP\/1.1 101/;
      if (expected.test(answer) || ending === 'reset-in-head') resolve();
      else reject(new Error(`${ending}: the answer is ${JSON.stringify(answer)}, the error: ${failure}`));
    });
    if (ending === 'reset-in-head') socket.write(text.slice(0, 60), () => socket.resetAndDestroy());
    else socket.write(text);
  });
}

function end(socket: Socket, ending: Ending): void {
  switch (ending) {
    case 'reset':
      socket.resetAndDestroy();
      return;
    case 'fin':
    case 'refused':
      socket.end();
      return;
    case 'close-frame':
      socket.write(closeFrame);
      return;
    case 'reset-in-head':
      // it is gone
      return;
    default:
      ending satisfies never;
  }
}
