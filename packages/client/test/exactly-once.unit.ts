import fc from 'fast-check';
import t from 'tap';
import { seeded } from '../../../test/kit/seeded.js';
import { FakeTimers } from '../../migration/test/kit/fake-timers.js';
import { ClientCore } from '../src/index.js';
import { FakeEdge } from './kit/fake-edge.js';
import { Weather } from './kit/weather.js';

/** What happens to a client and its edge, one after the other. */
type Event =
  | { readonly kind: 'to client' | 'to server' | 'to other' }
  /** The line is cut; the edge learns it so much later, perhaps after the client has come back. */
  | { readonly kind: 'cut'; readonly edgeNoticesAfterMs: number }
  | { readonly kind: 'move' }
  /** The line is closed with a time to come back. */
  | { readonly kind: 'told'; readonly retryAfterMs: number }
  | { readonly kind: 'down'; readonly forMs: number }
  | { readonly kind: 'pass'; readonly ms: number };

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom({ kind: 'to client' }, { kind: 'to server' }, { kind: 'to other' }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('cut'), edgeNoticesAfterMs: fc.nat(20_000) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'move' }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('told'), retryAfterMs: fc.nat(5000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('down'), forMs: fc.nat(20_000) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('pass'), ms: fc.nat(200) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass'), ms: fc.nat(30_000) }) },
) as fc.Arbitrary<Event>;

function run(seed: number, events: readonly Event[]) {
  const timers = new FakeTimers();
  const edge = new FakeEdge();
  const weather = new Weather(timers, seeded(seed), edge, 'alice');
  const alice = edge.user('alice');
  const got: string[] = [];
  const lost: unknown[] = [];
  const client = new ClientCore(
    'a-session-of-the-test',
    {
      sendTimeoutMs: 3_600_000,
      onMessage: ({ data }) => got.push(String(data)),
      onStatus: (status) => {
        if (status.state === 'closed' || (status.state === 'connected' && !status.recovered))
          lost.push(status);
      },
    },
    { ...weather, open: (protocols, socketEvents) => weather.open(protocols, socketEvents) },
  );
  client.start();
  // from here on there is a position; what was sent before is not for this session
  timers.pass(1000);
  const sent = { toClient: [] as string[], toServer: [] as string[], toOther: 0 };
  const settled: string[] = [];
  let unsettled = 0;
  const follow = (promise: Promise<unknown>): void => {
    unsettled++;
    promise.then(
      () => unsettled--,
      (error) => settled.push(String(error)),
    );
  };
  for (const happens of events) {
    switch (happens.kind) {
      case 'to client':
        sent.toClient.push(`m${sent.toClient.length}`);
        alice.send(sent.toClient.at(-1)!);
        break;
      case 'to server':
        sent.toServer.push(`c${sent.toServer.length}`);
        follow(client.send(sent.toServer.at(-1)!));
        break;
      case 'to other':
        sent.toOther++;
        client.sendTo('bob', `o${sent.toOther}`).catch(() => {});
        break;
      case 'cut':
        weather.cut(happens.edgeNoticesAfterMs);
        break;
      case 'move':
        alice.move(1000);
        break;
      case 'told':
        alice.close(4000, `{"retryAfterMs":${happens.retryAfterMs}}`);
        break;
      case 'down':
        weather.isDown = true;
        weather.cut(0);
        timers.after(happens.forMs, () => {
          weather.isDown = false;
        });
        break;
      case 'pass':
        timers.pass(happens.ms);
        break;
      default:
        happens satisfies never;
    }
  }
  timers.pass(120_000);
  return { alice, edge, weather, client, got, lost, sent, settled, unsettled: () => unsettled };
}

t.test('over lines that are cut at any time, everything passes once and in order, both ways', async (t) => {
  let reconnected = 0;
  let again = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.array(event, { minLength: 20, maxLength: 200, size: 'max' }),
      async (seed, events) => {
        const { alice, edge, weather, client, got, lost, sent, settled, unsettled } = run(seed, events);
        for (let i = 0; i < 8; i++) await null;
        const others = edge.user('bob').sent;
        const wrong = [
          client.status.state !== 'connected' && `it is ${JSON.stringify(client.status)}`,
          got.join() !== sent.toClient.join() && `the client got ${got} of ${sent.toClient}`,
          alice.received.join() !== sent.toServer.join() && `the server got ${alice.received}`,
          others !== sent.toOther && `${others} of ${sent.toOther} came to the other user`,
          lost.length > 0 && `the application was told ${JSON.stringify(lost)}`,
          settled.length > 0 && `sends were rejected: ${settled}`,
          unsettled() > 0 && `${unsettled()} sends never settled`,
          weather.mostLines > 1 && `${weather.mostLines} sockets were open at once`,
        ].filter((what) => what !== false);
        if (wrong.length > 0) throw new Error(wrong.join('\n'));
        reconnected += weather.opened - 1;
        again += alice.written - got.length;
      },
    ),
    { numRuns: 1000 },
  );
  t.ok(reconnected > 2000, `there were ${reconnected} reconnections`);
  t.ok(again > 1000, `${again} messages came to nobody, or again`);
});
