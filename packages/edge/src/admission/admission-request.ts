import type { IncomingMessage } from 'node:http';
import type { HttpRequest } from '@pinwheel/server';
import { splitTarget } from '../http/request-path.js';

/** What admission reads of a request. It is read whole before anything is waited for. */
export interface AdmissionRequest {
  readonly path: string;
  /** Raw, without `?`. */
  readonly query: string;
  /** By name in lower case, every line of its own: nothing is joined and nothing is dropped. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

export function requestOfIncoming(request: IncomingMessage): AdmissionRequest {
  const { path, query } = splitTarget(request.url ?? '');
  const headers = new Map<string, string[]>();
  const { rawHeaders } = request;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    addLine(headers, rawHeaders[i]!.toLowerCase(), rawHeaders[i + 1]!);
  }
  return { path, query, headers };
}

/** To be called before the handler first returns: nothing of the request can be read later. */
export function requestOfUpgrade(request: HttpRequest): AdmissionRequest {
  const headers = new Map<string, string[]>();
  request.forEach((name, value) => {
    addLine(headers, name, value);
  });
  return { path: request.getUrl(), query: request.getQuery() ?? '', headers };
}

function addLine(headers: Map<string, string[]>, name: string, value: string): void {
  const lines = headers.get(name);
  if (lines === undefined) headers.set(name, [value]);
  else lines.push(value);
}
