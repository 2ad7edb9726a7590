import { closeCodes } from '@pinwheel/protocol';
import type { ClientLog, Sent } from '../ledger.js';
import type { Simulation } from '../simulation.js';

const inOrder = String(closeCodes.moved.code);

/** What a receipt promised has come to every session that was there, once. */
export function checkDelivery(sim: Simulation): void {
  for (const log of sim.ledger.clients.values()) {
    if (log.speech === 'v1') checkComplete(sim, log);
    else if (isUndisturbed(sim, log)) {
      checkPlain(sim, log);
      checkPlainOnce(sim, log);
    }
  }
}

/** Of a plain client no more is promised than this: nothing was lost for its user, who has no other client. */
function isUndisturbed({ ledger }: Simulation, { name, user }: ClientLog): boolean {
  const isAlone = [...ledger.clients.values()].every((other) => other.name === name || other.user !== user);
  return isAlone && !ledger.excuses.some((excuse) => excuse.user === user);
}

function checkComplete(sim: Simulation, log: ClientLog): void {
  const { ledger, world } = sim;
  const { name, user, events } = log;
  if (events.some(({ kind }) => kind === 'closed')) return;
  const welcomed = events.find(({ kind }) => kind === 'welcome')?.at ?? Number.POSITIVE_INFINITY;
  const had = new Set(events.flatMap((event) => (event.kind === 'message' ? [event.text] : [])));
  for (const sent of ledger.sent.values()) {
    if (sent.user !== user || sent.at <= welcomed || had.has(sent.text)) continue;
    const status = sent.receipt?.status;
    if (status !== 'delivered' && status !== 'queued') continue;
    if (isExcused(sim, sent, log)) continue;
    const where = sent.places.map(({ node, stream, seq }) => `${stream}:${seq} at ${node}`);
    world.violate('I3 a message is lost', `${sent.text}, ${status}, [${where}], has not come to ${name}`);
  }
}

/**
 * A plain client can come back to nothing, but whoever closes it in order closes it behind what was accepted for it: what
 * was sent while a connection stood that is open still, or that an edge's drain has ended, has come. Not so where a
 * connection was lost, and what came for it until its edge had noticed.
 */
function checkPlain({ ledger, world }: Simulation, { name, user, events }: ClientLog): void {
  const lostAt = events.find((event) => event.kind === 'away' && event.why !== inOrder)?.at;
  const until =
    lostAt === undefined
      ? Number.POSITIVE_INFINITY
      : (events.findLast(({ kind, at }) => kind === 'welcome' && at < lostAt)?.at ?? 0);
  const had = new Set(events.flatMap((event) => (event.kind === 'message' ? [event.text] : [])));
  for (const sent of ledger.sent.values()) {
    const status = sent.receipt?.status;
    if (sent.user !== user || (status !== 'delivered' && status !== 'queued')) continue;
    if (had.has(sent.text) || sent.elsewhere.size > 0 || sent.at >= until) continue;
    const before = events.findLast(({ kind, at }) => kind !== 'message' && at < sent.at);
    if (before?.kind !== 'welcome') continue;
    world.violate('I3 a message is lost', `${sent.text}, ${status}, has not come to ${name}, a plain client`);
  }
}

/**
 * What a connection had that was closed in order does not come to the next one, though nothing connects the two. Not so
 * a message that was sent again because its receipt was lost: ids are forgotten with the user.
 */
function checkPlainOnce({ ledger, world }: Simulation, { name, events }: ClientLog): void {
  const had = new Set<string>();
  for (const event of events) {
    if (event.kind === 'away' && event.why !== inOrder) return;
    if (event.kind !== 'message') continue;
    const { text } = event;
    if (had.has(text) && ledger.sent.get(text)?.repeatedAt === 0)
      world.violate('I3 a message came twice', `${text} to ${name}, a plain client`);
    had.add(text);
  }
}

/** A crash takes what its node kept; a session that was away for too long ended, and began anew with its next welcome. */
function isExcused({ ledger, setup }: Simulation, sent: Sent, { name, events }: ClientLog): boolean {
  const key = name.padEnd(16, '-');
  // one that was on its way by then, from the node or from the edge, speaks of what is lost
  const isPosthumous = (saidAt: number): boolean =>
    ledger.posthumous.some(({ user, at }) => user === sent.user && at === saidAt);
  const nextWelcome = (at: number): number =>
    events.find((event) => event.kind === 'welcome' && event.saidAt > at && !isPosthumous(event.saidAt))
      ?.at ?? Number.POSITIVE_INFINITY;
  const isLost = ledger.excuses.some(({ user, session, at }) => {
    if (user !== sent.user || (session !== undefined && session !== key)) return false;
    return sent.at < nextWelcome(at);
  });
  if (isLost) return true;
  // what is older than the resume window is not kept, and where the bounds are tight others are not, too: then it is
  // enough that the client was told
  const keptMs = setup.isTight ? 0 : setup.limits.resumeWindowMs - 1000;
  const keptAt = Math.max(sent.at, sent.places[0]?.at ?? 0);
  const gaps = events.filter((event) => event.kind === 'welcome' && !event.recovered);
  if (gaps.some(({ at }) => at > keptAt + keptMs)) return true;
  if (!sent.elsewhere.has(key)) return false;
  // a holder does not keep for sessions that another one has; they are told when the two become one, unless one of the
  // two has forgotten the user by then
  return (
    gaps.some(({ at }) => at > keptAt) ||
    ledger.left.some(({ user, at, isForgotten }) => isForgotten && user === sent.user && at >= keptAt)
  );
}
