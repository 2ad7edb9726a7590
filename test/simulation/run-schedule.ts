import { Happenings } from './happenings.js';
import { Bounds } from './invariants/bounds.js';
import { checkDelivery } from './invariants/delivery.js';
import { Holders } from './invariants/holders.js';
import { checkArrival, Order } from './invariants/order.js';
import { Pace } from './invariants/pace.js';
import { checkReceipt } from './invariants/receipts.js';
import { Seen } from './invariants/seen.js';
import { checkAttached, checkSettled } from './invariants/settled.js';
import { Streams } from './invariants/streams.js';
import { Upward } from './invariants/upward.js';
import type { Sent } from './ledger.js';
import type { Schedule } from './schedule.js';
import { SimClient } from './sim-client.js';
import { Simulation } from './simulation.js';
import type { Violation } from './world.js';

export interface Run {
  readonly violation: Violation | undefined;
  readonly steps: number;
  readonly trace: readonly string[];
  readonly sim: Simulation;
}

/** Before the first event everybody comes; behind the last one everything is healed and comes to rest. */
const startMs = 1500;
/** Calls that were under way may have to time out, and silent links to be given up, before a session is attached. */
const attachedMs = 25_000;
const restMs = 16_000;
const lastWordMs = 5000;

/** Runs a schedule to its end, or to its first violation. */
export async function runSchedule({ setup, events }: Schedule, isTraced = false): Promise<Run> {
  const sim = new Simulation(setup, isTraced);
  const { world } = sim;
  const watch = (thrown: unknown): void =>
    world.violate('a mechanism has thrown', thrown instanceof Error ? String(thrown.stack) : String(thrown));
  process.on('unhandledRejection', watch);
  try {
    checkAlways(sim);
    await world.run(startMs);
    const happenings = new Happenings(sim);
    happenings.schedule(events);
    await world.run(Math.max(startMs, ...events.map(({ at }) => at)) + 1);
    happenings.heal();
    await world.run(world.now + attachedMs);
    checkAttached(sim);
    await world.run(world.now + restMs);
    const last = lastWords(sim);
    await world.settle();
    await world.run(world.now + lastWordMs);
    if (world.violations.length === 0) checkLastWords(sim, last);
    if (world.violations.length === 0) checkAtLast(sim);
  } finally {
    process.off('unhandledRejection', watch);
  }
  return { violation: world.violations[0], steps: world.steps, trace: world.trace, sim };
}

/** What is looked at after every step. */
export function checkAlways(sim: Simulation): void {
  const streams = new Streams(sim);
  const holders = new Holders(sim);
  const bounds = new Bounds(sim);
  const seen = new Seen(sim);
  const order = new Order(sim);
  const upward = new Upward(sim);
  const pace = sim.setup.isCalm ? new Pace(sim) : undefined;
  const settled = new Set<Sent>();
  sim.world.checks.push((process) => {
    const node = process === undefined ? undefined : sim.nodeIn(process);
    if (node !== undefined || process === undefined) holders.check();
    if (node !== undefined) {
      streams.check(node);
      bounds.check(node);
    }
    const client = process === undefined ? undefined : sim.clients.get(process.id);
    if (client !== undefined) seen.check(client.log);
    upward.check();
    pace?.check();
    for (const sent of sim.ledger.answered.splice(0)) {
      if (!settled.has(sent)) checkReceipt(sim, holders, sent);
      order.check(sent);
      settled.add(sent);
    }
  });
}

export function checkAtLast(sim: Simulation): void {
  checkSettled(sim);
  checkDelivery(sim);
  checkArrival(sim);
}

/** Once more everybody sends to everybody. @returns what was sent. */
function lastWords({ senders, users, clients }: Simulation): readonly Promise<Sent>[] {
  for (const client of clients.values()) void client.send();
  return [...senders.values()].flatMap((sender) => users.map((user) => sender.send(user)));
}

function checkLastWords(
  { world, ledger, clients, liveClients, setup }: Simulation,
  last: readonly Promise<Sent>[],
): void {
  void last;
  const words = [...ledger.sent.values()].slice(-last.length);
  for (const { text, user, receipt } of words) {
    const isThere = liveClients.some((client) => client.user === user);
    const status = receipt?.status;
    const isServed =
      status === 'delivered' || (setup.isTight && (status === 'queued' || status === 'overloaded'));
    if (isThere ? !isServed : status !== 'offline' && status !== 'queued')
      world.violate('I4 not served', `the last word ${text} has receipt ${JSON.stringify(receipt)}`);
  }
  for (const { text, outcome, client } of ledger.upward.values()) {
    const sender = clients.get(client);
    if (sender instanceof SimClient && outcome === undefined && !sender.isClosed)
      world.violate('I4 not served', `${text} is not taken`);
  }
}
