import { type HttpResponse, statusLineOf } from '@pinwheel/server';
import type { Refusal } from '../http/refusal.js';

/** Answers a request to a link edge, all of which that are not upgraded are refused. */
export function answerOnLink(response: HttpResponse, { status, code, message, headers = {} }: Refusal): void {
  response.cork(() => {
    response.writeStatus(statusLineOf(status)).writeHeader('content-type', 'application/json');
    for (const [name, value] of Object.entries(headers)) response.writeHeader(name, value);
    // what a client sent behind the request is not read
    response.end(JSON.stringify({ error: { code, message } }), true);
  });
}
