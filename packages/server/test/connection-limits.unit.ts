import t from 'tap';
import {
  type ConnectionBounds,
  ConnectionLimits,
  type LimitCounters,
  limitNames,
  Place,
} from '../src/index.js';

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
