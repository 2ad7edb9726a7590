import t from 'tap';
import { type TokenBearer, TokenLives } from '../src/admission/token-lives.js';

const minute = 60_000;
const start = 1_700_000_000_000;

/** A connection that notes what it is told, and when by the clock of the test. */
class Bearer implements TokenBearer {
  readonly asked: number[] = [];
  endedAt: number | undefined;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  askForToken(): void {
    this.asked.push(this.#now());
  }

  tokenEnded(): void {
    this.endedAt = this.#now();
  }
}

function situation() {
  let now = start;
  const lives = new TokenLives(now);
  return {
    lives,
    bearer: () => new Bearer(() => now),
    get now() {
      return now;
    },
    /** Somebody sets the clock. */
    set(by: number) {
      now += by;
    },
    run(ms: number) {
      for (const end = now + ms; now < end; ) {
        now += 250;
        lives.tick(now);
      }
    },
  };
}

t.test(
  'a client is asked a minute before its token ends, again at each half of the rest, and then it ends',
  async (t) => {
    const world = situation();
    const bearer = world.bearer();
    world.lives.set(bearer, start + 10 * minute, start);
    world.run(11 * minute);
    const left = bearer.asked.map((at) => Math.round((start + 10 * minute - at) / 1000));
    t.same(left.slice(0, 4), [60, 30, 15, 8]);
    t.ok(Math.abs(bearer.endedAt! - (start + 10 * minute)) <= 250);
    t.equal(world.lives.size, 0);
  },
);

t.test('a new token, and a connection that is gone', async (t) => {
  const world = situation();
  const [renewed, gone] = [world.bearer(), world.bearer()];
  world.lives.set(renewed, start + minute, start);
  world.lives.set(gone, start + minute, start);
  world.run(minute / 2);
  world.lives.set(renewed, start + 5 * minute, world.now);
  world.lives.delete(gone);
  world.run(3 * minute);
  t.same([renewed.endedAt, gone.endedAt], [undefined, undefined]);
  world.run(2 * minute);
  t.ok(renewed.endedAt);
});

t.test(
  'the clock is set back: tokens end by it as it is now, those that came before and those that come after',
  async (t) => {
    const world = situation();
    const [before, between, after] = [world.bearer(), world.bearer(), world.bearer()];
    world.run(minute);
    world.lives.set(before, world.now + 5 * minute, world.now);
    world.set(-60 * minute);
    world.lives.set(between, world.now + 5 * minute, world.now);
    world.run(1000);
    world.lives.set(after, world.now + 5 * minute, world.now);
    world.run(6 * minute);
    t.ok(between.asked.length > 0 && between.endedAt, 'before the edge has noticed');
    t.ok(after.asked.length > 0 && after.endedAt, 'and then');
    t.equal(before.endedAt, undefined, 'a token says when it ends by the clock');
    world.run(60 * minute);
    t.ok(before.endedAt);
  },
);

t.test('the clock is set forward: what is over ends at once, the rest goes on', async (t) => {
  const world = situation();
  const [over, open] = [world.bearer(), world.bearer()];
  world.lives.set(over, start + 10 * minute, start);
  world.lives.set(open, start + 100 * minute, start);
  world.set(20 * minute);
  world.run(250);
  t.ok(over.endedAt);
  t.equal(open.endedAt, undefined);
  world.run(81 * minute);
  t.ok(open.endedAt);
});

t.test(
  'many tokens have one end: some are asked for and ended a turn, without a wait in between',
  async (t) => {
    const world = situation();
    const bearers = Array.from({ length: 1000 }, () => world.bearer());
    for (const bearer of bearers) world.lives.set(bearer, start + minute, start);
    const tell = (isTold: (bearer: Bearer) => boolean, atMs: number): readonly number[] => {
      world.set(start + atMs - world.now);
      const counts: number[] = [];
      for (let isMore = true; isMore; ) {
        isMore = world.lives.tick(world.now);
        counts.push(bearers.filter(isTold).length - counts.reduce((sum, count) => sum + count, 0));
      }
      return counts;
    };
    const asked = tell(({ asked }) => asked.length > 0, minute * 0.75);
    t.same(asked, [200, 200, 200, 200, 200]);
    const ended = tell(({ endedAt }) => endedAt !== undefined, minute);
    t.same(ended, [200, 200, 200, 200, 200]);
    t.equal(world.lives.size, 0);
  },
);

t.test('the clock is set back while some are left: they end by it', async (t) => {
  const world = situation();
  const bearers = Array.from({ length: 300 }, () => world.bearer());
  for (const bearer of bearers) world.lives.set(bearer, start + minute, start);
  world.set(minute);
  t.equal(world.lives.tick(world.now), true);
  world.set(-minute / 2);
  world.run(minute / 4);
  t.equal(bearers.filter(({ endedAt }) => endedAt === undefined).length, 100);
  world.run(minute / 2);
  t.equal(world.lives.size, 0);
});
