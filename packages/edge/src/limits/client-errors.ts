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

/** Answers whoever sends no request that can be read, in time, and cuts him off; what was a limit is counted. */
export function answerClientErrors(server: Server, counters: EdgeLimitCounters): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const { answer, limit } = errors[error.code ?? ''] ?? unreadable;
    if (limit !== undefined) counters[limit]++;
    // behind an earlier answer it could be taken for a part of that
    const isFirst = (socket as Socket).bytesWritten === 0;
    if (socket.writable && isFirst) socket.write(`HTTP/1.1 ${answer}\r\nConnection: close\r\n\r\n`);
    socket.destroy();
  });
  // its socket is cut off by then
  server.on('tlsClientError', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') counters['head-time']++;
  });
}
