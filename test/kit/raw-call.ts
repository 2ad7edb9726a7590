import { connect } from 'node:net';

export interface RawCall {
  readonly method?: string;
  readonly target: string;
  /** A header may come several times. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
}

export interface RawAnswer {
  readonly status: number;
  /** Status line and headers. */
  readonly head: string;
  readonly body: string;
}

/** Writes a request as it stands, on a connection of its own, and reads its answer. */
export function rawCall(
  port: number,
  { method = 'POST', target, headers = [], body = '' }: RawCall,
): Promise<RawAnswer> {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const length = method === 'GET' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  return new Promise((resolve, reject) => {
    let text = '';
    let failure = new Error(`no answer: ${method} ${target}`);
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(20_000, () => socket.destroy());
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => {
      const answer = answerIn(text);
      if (answer === undefined) reject(failure);
      else resolve(answer);
    });
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (isWhole(text)) socket.destroy();
    });
    socket.write(`${method} ${target} HTTP/1.1\r\nHost: x\r\n${length}${lines}\r\n${body}`);
  });
}

function answerIn(text: string): RawAnswer | undefined {
  const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
  const [head = '', ...rest] = text.split('\r\n\r\n');
  return status === undefined ? undefined : { status: Number(status), head, body: rest.join('\r\n\r\n') };
}

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return false;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end))?.[1];
  if (length !== undefined) return text.length >= end + 4 + Number(length);
  return /^HTTP\/1\.1 (101|431)/.test(text) || text.endsWith('\r\n0\r\n\r\n');
}
