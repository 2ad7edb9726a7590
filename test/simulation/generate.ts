import { defaultHolderLimits } from '@pinwheel/holder';
import { calmOf, calmSetupOf } from './calm.js';
import { Dice } from './dice.js';
import type { SimEvent } from './event.js';
import { type Makers, makers, wideMakers } from './makers.js';
import type { Schedule } from './schedule.js';
import type { ClientSetup, Setup } from './setup.js';
import { wavesOf, wavesSetup } from './waves.js';

const userNames = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank'];
export const firstEventMs = 1500;

/**
 * `small`: anything may happen to a few. `wide`: so many nodes, coming and going, that a node does not ask everybody. `waves`:
 * many leave together and come back together, while users stay with whoever was left. `calm`: many users, and no ill luck.
 */
export const kinds = ['small', 'wide', 'waves', 'calm'] as const;
export type Kind = (typeof kinds)[number];

const nine = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8', 'n9'];

/** The schedule of a seed: who is there, and what befalls them. */
export function scheduleOf(seed: number, kind: Kind = 'small'): Schedule {
  const dice = new Dice(seed * 2 + 1);
  const small = setupOf(seed, dice);
  if (kind === 'small') return { setup: small, events: eventsOf(small, dice, makers) };
  if (kind === 'calm') {
    const setup = calmSetupOf(seed, dice);
    return { setup, events: calmOf(setup, dice) };
  }
  if (kind === 'waves') {
    const setup = wavesSetup(small, dice);
    return { setup, events: wavesOf(setup, dice) };
  }
  const setup: Setup = {
    ...small,
    nodes: nine.slice(0, dice.whole(6, 9)),
    clients: small.clients.slice(0, 3),
    windowMs: dice.pick([50, 500]),
    mostRings: 1,
  };
  return { setup, events: eventsOf(setup, dice, wideMakers) };
}

function setupOf(seed: number, dice: Dice): Setup {
  const users = userNames.slice(0, dice.whole(3, 6));
  const clients: ClientSetup[] = users.flatMap((user) =>
    Array.from({ length: dice.chance(0.35) ? 2 : 1 }, (_, i): ClientSetup => {
      return { name: `${user}-${i + 1}`, user, speech: dice.chance(0.75) ? 'v1' : 'plain' };
    }),
  );
  const isTight = dice.chance(0.15);
  const keepAliveMs = dice.pick([3000, 6000]);
  const resumeWindowMs = dice.pick([3000, 10_000, 20_000]);
  return {
    seed,
    nodes: ['n1', 'n2', 'n3', 'n4'].slice(0, dice.whole(2, 4)),
    edges: ['e1', 'e2'].slice(0, dice.whole(1, 2)),
    senders: ['s1', 's2'].slice(0, dice.whole(1, 2)),
    clients,
    limits: {
      ...defaultHolderLimits,
      resumeWindowMs,
      plainWindowMs: Math.min(resumeWindowMs, 10_000),
      keepAliveMs,
      maxInboxMessages: isTight ? dice.whole(1, 8) : 256,
      maxInboxBytes: isTight ? dice.pick([250, 262_144]) : 262_144,
      maxInboxTotalBytes: isTight ? dice.pick([3072, 8192, 268_435_456]) : 268_435_456,
      maxLinkUnreadBytes: isTight ? dice.pick([200, 67_108_864]) : 67_108_864,
      tombstoneMs: dice.pick([50, 2000, 300_000]),
      staleCopyMs: dice.pick([500, 5000]),
      quiesceMs: dice.pick([20, 5000]),
    },
    edgeKeepAliveMs: keepAliveMs,
    usersPerSecond: dice.pick([2, 50, 500]),
    callMs: dice.pick([500, 2000, 5000]),
    claimMs: dice.pick([1000, 5000, 10_000]),
    drainMs: dice.pick([2000, 15_000]),
    windowMs: dice.pick([1000, 10_000, 120_000]),
    mostRings: dice.pick([1, 8]),
    applicationMs: dice.pick([0, 100, 8000]),
    isTight,
    lateMs: 4000,
    isCalm: false,
  };
}

function eventsOf(setup: Setup, dice: Dice, makers: Makers): readonly SimEvent[] {
  const total = makers.reduce((sum, [weight]) => sum + weight, 0);
  const count = dice.whole(30, 140);
  // some schedules hurry: what happens happens at once
  const gapMs = dice.pick([20, 80, 250]);
  const events: SimEvent[] = [];
  let at = firstEventMs;
  for (let i = 0; i < count; i++) {
    at += Math.round(dice.random() * 2 * gapMs);
    let luck = dice.random() * total;
    const [, make] = makers.find(([weight]) => {
      luck -= weight;
      return luck < 0;
    })!;
    events.push(make(setup, dice, at));
  }
  return events;
}
