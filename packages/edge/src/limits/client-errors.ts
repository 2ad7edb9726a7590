import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { EdgeLimitCounters } from './limit-counters.js';

interface HeadError {
  readonly answer: string;
  readonly limit?: 'head-time' | 'head-size';
}

const errors: Readonly<Record<string, HeadError>> = {
  ERR_HTTP_REQUEST_TIMEOUT: { answer: '408 Request Timeout', limit: 'head-time' },
  HPE_HEADER_OVERFLOW: { answer: '431 Request Header Fields Too Large', limit: 'head-size' },
};
const unreadable: HeadError = { answer: '400 Bad Request' };
const callsEachTurn = 16;

/** Answers whoever sends no request that can be read, in time, and cuts him off; what was a limit is counted. */
export function answerClientErrors(server: Server, counters: EdgeLimitCounters): void {
  const inTurns = someEachTurn();
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const { answer, limit } = errors[error.code ?? ''] ?? unreadable;
    if (limit !== undefined) counters[limit]++;
    const end = (): void => {
      // behind an earlier answer it could be taken for a part of that
      const isFirst = (socket as Socket).bytesWritten === 0;
      if (socket.writable && isFirst) socket.write(`HTTP/1.1 ${answer}\r\nConnection: close\r\n\r\n`);
      socket.destroy();
    };
    if (limit === 'head-time') inTurns(end);
    else end();
  });
  // its socket is cut off by then
  server.on('tlsClientError', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') counters['head-time']++;
  });
}

/** What thousands have come to at the same moment is done a few at a time: it must hold up nobody else. */
function someEachTurn(): (call: () => void) => void {
  let waiting: (() => void)[] = [];
  const turn = (): void => {
    const now = waiting.slice(0, callsEachTurn);
    waiting = waiting.slice(callsEachTurn);
    for (const call of now) call();
    if (waiting.length > 0) setImmediate(turn);
  };
  return (call) => {
    waiting.push(call);
    if (waiting.length === 1) setImmediate(turn);
  };
}
