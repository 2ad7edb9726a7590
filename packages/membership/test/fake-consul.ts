import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Teardown } from '../../../test/kit/consul.js';
import { startHttpServer } from '../../../test/kit/http-server.js';

/** A server that answers `health/service` with whatever a test wants, however wrong. */
export interface FakeConsul {
  readonly port: number;
  /** The index each read came with, in order; undefined for one that asked to be answered at once. */
  readonly asked: (string | undefined)[];
  answer: (response: ServerResponse, request: IncomingMessage) => void;
}

export async function startFakeConsul(t: Teardown, answer: FakeConsul['answer']): Promise<FakeConsul> {
  const asked: FakeConsul['asked'] = [];
  const port = await startHttpServer(t, (request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://fake');
    asked.push(searchParams.get('index') ?? undefined);
    fake.answer(response, request);
  });
  const fake: FakeConsul = { port, asked, answer };
  return fake;
}

/** A well-formed answer with one passing entry an id. */
export function entries(index: string, ...ids: readonly string[]): FakeConsul['answer'] {
  const body = ids.map((ID, i) => ({
    Node: { Node: 'agent', Address: '127.0.0.1' },
    Service: { ID, Address: '', Port: 7001 + i, Meta: {}, CreateIndex: 10 + i },
  }));
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'x-consul-index': index });
    response.end(JSON.stringify(body));
  };
}
