import { connect } from '@pinwheel/client';
import { createEdge } from '@pinwheel/edge';
import { inProcessMembership } from '@pinwheel/membership';
import { createNode } from '@pinwheel/node';
import { createSender } from '@pinwheel/sender';
import t from 'tap';
import { WebSocket } from 'ws';
import { audience, issuer, TokenIssuer } from '../packages/edge/test/token-issuer.js';
import { until } from './kit/until.js';

async function service(t: {
  teardown(end: () => Promise<void>): unknown;
  testdir: typeof import('tap')['t']['testdir'];
}) {
  const tokens = new TokenIssuer();
  const jwks = `${t.testdir({ 'jwks.json': JSON.stringify(tokens.jwks) })}/jwks.json`;
  const membership = inProcessMembership();
  const node = await createNode({ id: 'n1', membership });
  await node.ready();
  const jwt = { jwks, issuer, audience, leewaySeconds: 0 };
  const edge = await createEdge({ id: 'e1', membership, auth: 'jwt', jwt });
  const sender = createSender({ membership });
  t.teardown(async () => {
    await sender.close();
    await edge.close();
    await node.close();
    await membership.close();
  });
  return { tokens, edge, sender };
}

const lifeSeconds = 4;
const expiry = (): { exp: number } => ({ exp: Math.floor(Date.now() / 1000) + lifeSeconds });

t.test('a client that has new tokens stays connected beyond the first ones, and loses nothing', async (t) => {
  const { tokens, edge, sender } = await service(t);
  const states: string[] = [];
  const received: string[] = [];
  let asked = 0;
  const connection = connect(`ws://127.0.0.1:${edge.port}/ws`, {
    webSocket: WebSocket as never,
    token: () => {
      asked++;
      return tokens.token(expiry());
    },
    onMessage: ({ data }) => received.push(String(data)),
    onStatus: ({ state }) => states.push(state),
  });
  t.teardown(() => connection.close());
  await until('alice is connected', () => states.includes('connected'));
  const sent: string[] = [];
  const endAt = Date.now() + 2 * lifeSeconds * 1000;
  while (Date.now() < endAt) {
    sent.push(`message ${sent.length}`);
    const { status } = await sender.send('alice', sent.at(-1)!);
    if (status !== 'delivered') t.fail(`${sent.at(-1)} is ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await until('everything has come', () => received.length >= sent.length);
  t.same(received, sent);
  t.same(states.filter((state) => state === 'connected').length, 1, `it has connected once: ${states}`);
  t.ok(asked >= 3, `its token function was asked ${asked} times`);
});

t.test('one whose application gives an old token comes back with a new one, to its session', async (t) => {
  const { tokens, edge, sender } = await service(t);
  const states: string[] = [];
  const received: string[] = [];
  let token = tokens.token(expiry());
  const connection = connect(`ws://127.0.0.1:${edge.port}/ws`, {
    webSocket: WebSocket as never,
    retry: { firstMs: 50, longestMs: 200 },
    token: () => token,
    onMessage: ({ data }) => received.push(String(data)),
    onStatus: ({ state }) => states.push(state),
  });
  t.teardown(() => connection.close());
  await until('alice is connected', () => states.includes('connected'));
  await until('her token has ended', async () => /reason="token-expired"\} 1/.test(await edge.metrics()));
  t.match(await sender.send('alice', 'while she is away'), { status: 'queued' });
  token = tokens.token({ exp: expiry().exp + 600 });
  await until('she is back', () => states.filter((state) => state === 'connected').length === 2);
  await until('she has it', () => received.length === 1);
  t.same(received, ['while she is away']);
});
