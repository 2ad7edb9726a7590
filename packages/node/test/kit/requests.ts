import { createConnection } from 'node:net';
import {
  BatchWriter,
  batchContentType,
  type OutgoingMessage,
  type Receipt,
  Receipts,
} from '@pinwheel/protocol';
import type { PinwheelNode } from '../../src/index.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // what an API answers is looked at field by field
  readonly json: Record<string, unknown>;
}

export async function request(
  node: PinwheelNode,
  method: string,
  path: string,
  body?: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const answer = await fetch(`http://127.0.0.1:${node.port}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    get json() {
      return JSON.parse(text);
    },
  };
}

/** The single form with a text payload. */
export function post(
  node: PinwheelNode,
  user: string,
  data: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const path = `/v1/users/${encodeURIComponent(user)}/messages`;
  return request(node, 'POST', path, data, { 'content-type': 'text/plain', ...headers });
}

/** The NDJSON form; lines that are not strings become JSON. */
export async function postLines(
  node: PinwheelNode,
  lines: readonly unknown[],
  headers: Readonly<Record<string, string>> = {},
): Promise<readonly Record<string, unknown>[]> {
  const body = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  const { status, text } = await request(node, 'POST', '/v1/messages', body, {
    'content-type': 'application/x-ndjson',
    ...headers,
  });
  if (status !== 200) throw new Error(`answered ${status}: ${text}`);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** The binary form. */
export async function postBatch(
  node: PinwheelNode,
  messages: readonly OutgoingMessage[],
  headers: Readonly<Record<string, string>> = {},
): Promise<readonly Receipt[]> {
  const answer = await fetch(`http://127.0.0.1:${node.port}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': batchContentType, ...headers },
    body: Buffer.from(new BatchWriter().write(messages)),
  });
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (answer.status !== 200) throw new Error(`answered ${answer.status}: ${bytes}`);
  const receipts = Receipts.decode(bytes, messages.length);
  return messages.map(({ user }, i) => receipts.receipt(i, user));
}

/** One value of `GET /metrics`: `pinwheel_node_dropped_total`, `…_total{reason="moved"}`. */
export async function metric(node: PinwheelNode, name: string): Promise<number> {
  const { text } = await request(node, 'GET', '/metrics');
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  if (line === undefined) throw new Error(`there is no metric ${name}`);
  return Number(line.slice(name.length + 1));
}

export interface RawOptions {
  /** Silence that ends the answer, in ms. */
  readonly quietMs?: number;
  /** `false`: more may come after the first complete answer. */
  readonly whole?: boolean;
  /** Called as soon as a piece is written, before anybody has read it. */
  readonly written?: () => void;
}

/** Writes bytes as they are, those of a list each when the ones before have been read, and gives the answer: until it is complete, the other side ends or is silent for a while. */
export function rawRequest(
  port: number,
  bytes: string | Buffer | readonly string[],
  { quietMs = 300, whole = true, written = () => {} }: RawOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    let got = '';
    socket.setTimeout(15_000);
    socket.on('connect', async () => {
      for (const piece of Array.isArray(bytes) ? bytes : [bytes]) {
        socket.write(piece);
        written();
        // a node in this process reads between one turn of the loop and the next
        for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
      }
    });
    socket.on('data', (chunk) => {
      got += chunk.toString('latin1');
      if (whole && isComplete(got)) socket.destroy();
      else socket.setTimeout(quietMs);
    });
    socket.on('timeout', () => socket.destroy());
    socket.on('error', reject);
    socket.on('close', () => resolve(got));
  });
}

function isComplete(answer: string): boolean {
  const end = answer.indexOf('\r\n\r\n');
  const [, length] = /^content-length: (\d+)/im.exec(answer) ?? [];
  if (end === -1) return false;
  return (
    answer.startsWith('HTTP/1.1 101 ') || (length !== undefined && answer.length >= end + 4 + Number(length))
  );
}
