import { SimClient } from '../sim-client.js';
import type { SimNode } from '../sim-node.js';
import type { Simulation } from '../simulation.js';

/** When all is well again, nobody waits for long to be attached. */
export function checkAttached({ liveEdges, world }: Simulation): void {
  for (const { id, core } of liveEdges)
    if (core.status.waiting > 0)
      world.violate('I4 a session is not attached', `${core.status.waiting} at ${id}`);
}

/** When nothing has happened for long: everybody is with the owner, and nothing waits or is left over. */
export function checkSettled(sim: Simulation): void {
  checkHolders(sim);
  checkClients(sim);
  for (const node of sim.liveNodes) checkNothingWaits(sim, node);
  const { world, messages, senders, ledger } = sim;
  if (messages.underWay > 0) world.violate('I6 a wait without an end', `${messages.underWay} requests`);
  for (const { id, dispatch } of senders.values()) {
    const { queuedMessages, waitingUsers } = dispatch.dispatch;
    if (queuedMessages + waitingUsers > 0)
      world.violate(
        'I6 a wait without an end',
        `${queuedMessages} messages at ${id}, ${waitingUsers} users wait`,
      );
  }
  for (const { text, receipt, sender } of ledger.sent.values()) {
    const { isPaused } = senders.get(sender)?.process ?? sim.clients.get(sender)!.process;
    if (receipt === undefined && !isPaused)
      world.violate('I6 a wait without an end', `${text} has no receipt`);
  }
}

function checkHolders({ world, users, liveNodes, liveEdges, liveClients }: Simulation): void {
  const ring = liveEdges[0]!.tracker.current.ring;
  for (const user of users) {
    const knowing = liveNodes.flatMap((node) => {
      const known = node.holder.users.known(user);
      return known === undefined ? [] : [{ id: node.id, known }];
    });
    const held = knowing.filter(({ known }) => known.kind === 'held');
    const live = liveClients.filter((client) => client.user === user);
    const owner = ring.owner(user)!;
    const described = knowing.map(({ id, known }) => `${id} ${known.kind}`);
    if (live.length > 0 && (held.length !== 1 || held[0]!.id !== owner)) {
      world.violate('I4 not with its owner', `${user} belongs to ${owner}; [${described}]`);
    }
    for (const { id, known } of knowing) {
      if (known.kind === 'prepared') world.violate('I6 a copy is left over', `of ${user} at ${id}`);
      if (known.kind === 'released' && known.unacknowledged !== undefined)
        world.violate('I6 a copy is left over', `of ${user} at ${id}, not acknowledged`);
      if (known.kind !== 'held') continue;
      if (known.contested !== undefined) world.violate('I1 contested for ever', `${user} at ${id}`);
      if (known.incoming !== undefined)
        world.violate('I6 a copy is left over', `of ${user} at ${id}, incoming`);
      if (known.isFrozen) world.violate('I7 frozen for ever', `${user} at ${id}`);
      const names = known.sessions.map((session) => session.id);
      if (known.sessions.length !== live.length)
        world.violate('I6 a ghost session', `${user} has ${live.length} clients; ${id} has [${names}]`);
    }
  }
}

function checkClients({ world, clients, liveEdges }: Simulation): void {
  for (const client of clients.values()) {
    const isConnected =
      client instanceof SimClient ? client.core.status.state === 'connected' : client.socket?.isOpen === true;
    const { name } = client.log;
    if (!client.isClosed && !isConnected) {
      const state = client instanceof SimClient ? JSON.stringify(client.core.status) : 'no socket';
      world.violate('I4 a client is not connected', `${name}: ${state}`);
    }
    if (client instanceof SimClient && client.unanswered > 0)
      world.violate('I6 a wait without an end', `${client.unanswered} sends of ${name}`);
    for (const event of client.log.events) {
      if (event.kind === 'closed' && !client.isClosed)
        world.violate('a client was sent away for good', `${name} with ${event.code}`);
    }
  }
  for (const { id, core } of liveEdges) {
    if (core.status.waiting > 0)
      world.violate('I4 a session is not attached', `${core.status.waiting} at ${id}`);
    if (core.counters.protocolErrors > 0)
      world.violate('a protocol error', `${core.counters.protocolErrors} at ${id}`);
  }
}

function checkNothingWaits(
  { world }: Simulation,
  { id, holder, forwarder, inbound, dispatch }: SimNode,
): void {
  const waits = {
    'users who move': holder.moves.status.waiting,
    handoffs: holder.handoffs.underWay,
    copies: holder.copies.count,
    claims: holder.claims.underWay,
    'contested users': holder.contested.count,
    forwards: forwarder.waiting,
    'bytes for the application': inbound.waitingBytes,
    'messages of the application': dispatch.dispatch.queuedMessages,
  };
  for (const [what, count] of Object.entries(waits))
    if (count !== 0) world.violate('I6 a wait without an end', `${count} ${what} at ${id}`);
  if (holder.linkCounters.protocolErrors > 0)
    world.violate('a protocol error', `${holder.linkCounters.protocolErrors} at ${id}`);
}
