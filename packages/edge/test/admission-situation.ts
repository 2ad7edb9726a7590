import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log } from '@pinwheel/membership';
import { until } from '../../../test/kit/until.js';
import { createEdge, type EdgeOptions } from '../src/index.js';
import { wsBackend } from './backends.js';
import { FakeNode } from './fake-node.js';
import { FakeTracker, foreign } from './fake-tracker.js';
import { RawClient } from './raw-client.js';
import type { TestScope } from './test-scope.js';
import { audience, issuer, TokenIssuer } from './token-issuer.js';

export const upstreams = ['link', 'tunnel'] as const;
export type UpstreamKind = (typeof upstreams)[number];

/** An edge that wants to know who its clients are, with somebody behind it, and every line that it logs. */
export async function admissionSituation(
  t: TestScope,
  upstream: UpstreamKind,
  more: Partial<EdgeOptions> = {},
  tokens = new TokenIssuer(),
) {
  const folder = mkdtempSync(join(tmpdir(), 'pinwheel-admission-'));
  const jwks = join(folder, 'jwks.json');
  writeFileSync(jwks, JSON.stringify(tokens.jwks));
  const lines: string[] = [];
  const node = await FakeNode.start('n1');
  const backend = await wsBackend('n1');
  const tracker = new FakeTracker([upstream === 'link' ? node.member : foreign('n1', backend.port)]);
  const edge = await createEdge({
    id: 'e1',
    tracker,
    upstream,
    adminPort: 0,
    auth: 'jwt',
    ...(more.auth === undefined || more.auth === 'jwt' ? { jwt: { jwks, issuer, audience } } : {}),
    log: keepLines(lines),
    ...more,
  } as EdgeOptions);
  t.teardown(async () => {
    await edge.close();
    await Promise.all([node.close(), backend.close()]);
    rmSync(folder, { recursive: true });
  });
  const answerTo = async (text: string): Promise<RawClient> => {
    const client = await new RawClient(edge.port).write(text).answered();
    // an upgrade that was taken stays open
    if (client.status === 101) return client;
    return client.gone();
  };
  const hangUp = async (client: RawClient): Promise<void> => {
    client.socket.destroy();
    await until('the edge is without clients', () => edge.status.connections === 0);
  };
  /** Everything that an operator can read. */
  const said = async (): Promise<string> => lines.join('\n') + (await edge.metrics());
  return { tokens, folder, jwks, node, backend, tracker, edge, lines, answerTo, hangUp, said };
}

function keepLines(lines: string[]): Log {
  const keep = (fields: object, text: string): void => void lines.push(JSON.stringify({ ...fields, text }));
  return { info: keep, warn: keep, error: keep };
}
