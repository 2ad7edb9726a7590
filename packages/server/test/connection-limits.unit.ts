import t from 'tap';
import {
  type ConnectionBounds,
  ConnectionLimits,
  type LimitCounters,
  limitNames,
  Place,
} from '../src/index.js';
import { limitLog } from '../src/limit-log.js';

const noBound = { messagesPerSecond: 0, bytesPerSecond: 0 };

function limitsWith(bounds: Partial<ConnectionBounds>) {
  const counters = Object.fromEntries(limitNames.map((name) => [name, 0])) as LimitCounters;
  const all: ConnectionBounds = {
    maxConnections: 100,
    maxConnectionsPerUser: 0,
    maxConnectionsPerAddress: 0,
    connectsPerSecond: 0,
    perConnection: noBound,
    perUser: noBound,
    ...bounds,
  };
  const limits = new ConnectionLimits(all, { isOver: false }, counters);
  const arrive = (address?: string): Place => {
    const place = limits.arrive(address);
    if (place instanceof Place) return place;
    throw place;
  };
  return { limits, counters, arrive };
}

t.test('a place that is left twice is free once', async (t) => {
  const { arrive, limits, counters } = limitsWith({ maxConnections: 2, maxConnectionsPerAddress: 2 });
  const [first] = [arrive('a'), arrive('a')];
  first.leave();
  first.leave();
  arrive('a');
  t.match(limits.arrive('b'), { code: 'overloaded', message: /this process has 2 connections/ });
  t.match(counters, { connections: 1, 'address-connections': 0 });
});

t.test('who leaves before it is known who he is takes nobody’s place', async (t) => {
  const { arrive } = limitsWith({ maxConnectionsPerUser: 1 });
  const gone = arrive();
  gone.leave();
  t.equal(gone.belongsTo('alice'), undefined);
  t.equal(arrive().belongsTo('alice'), undefined, 'the one place of the user is free');
});

t.test('who is refused for his user takes none of the user’s places with him', async (t) => {
  const { arrive, counters } = limitsWith({ maxConnectionsPerUser: 1 });
  const first = arrive();
  t.equal(first.belongsTo('alice'), undefined);
  const second = arrive();
  t.match(second.belongsTo('alice'), { code: 'limit-reached', message: /the user has 1 connections/ });
  second.leave();
  const third = arrive();
  t.match(third.belongsTo('alice'), { code: 'limit-reached' }, 'the first is there still');
  third.leave();
  first.leave();
  t.equal(arrive().belongsTo('alice'), undefined);
  t.equal(counters['user-connections'], 2);
});

t.test('the rate of a user is shared by all of its connections', async (t) => {
  const perUser = { messagesPerSecond: 2, bytesPerSecond: 0 };
  const { arrive, counters } = limitsWith({ perUser });
  const places = [arrive(), arrive()];
  for (const place of places) place.belongsTo('alice');
  t.ok(places[0]!.sent(2, 10));
  t.notOk(places[1]!.sent(2, 10), 'the other has used it up');
  t.equal(counters['user-rate'], 1);
  const neighbour = arrive();
  neighbour.belongsTo('bob');
  t.ok(neighbour.sent(2, 10), 'another user has his own');
});

t.test('a log says who has reached a bound, of each bound one client in ten seconds', async (t) => {
  const lines: object[] = [];
  let now = 1;
  const tell = limitLog({ warn: (fields) => lines.push(fields) }, () => now);
  const counters = Object.fromEntries(limitNames.map((name) => [name, 0])) as LimitCounters;
  const perConnection = { messagesPerSecond: 1, bytesPerSecond: 0 };
  const perUser = { messagesPerSecond: 2, bytesPerSecond: 0 };
  const bounds = { maxConnections: 9, maxConnectionsPerUser: 2, maxConnectionsPerAddress: 2 };
  const all = { ...bounds, connectsPerSecond: 0, perConnection, perUser };
  const limits = new ConnectionLimits(all, { isOver: false }, counters, tell);
  const come = (user: string, address: string): Place => {
    const place = limits.arrive(address) as Place;
    place.belongsTo(user);
    return place;
  };
  const [one, other] = [come('alice', 'a'), come('alice', 'b')];
  come('alice', 'c');
  limits.arrive('a');
  limits.arrive('a');
  t.same(lines.splice(0), [
    { limit: 'user-connections', user: 'alice' },
    { limit: 'address-connections', address: 'a' },
  ]);
  t.same([one.sent(1, 1), other.sent(1, 1), one.sent(1, 1), one.sent(1, 1)], [true, true, false, false]);
  t.same(lines.splice(0), [{ limit: 'connection-rate', user: 'alice', address: 'a' }], 'once');
  now += 10_000;
  other.sent(1, 1);
  t.same(lines, [{ limit: 'connection-rate', user: 'alice', address: 'b' }], 'and again later');
  t.equal(counters['connection-rate'], 3, 'each is counted');
});
