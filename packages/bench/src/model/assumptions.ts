import { wholeText } from '../report/number-text.js';
import type { Costs } from './costs.js';
import type { Demand } from './demand.js';

/** Of one user in Redis: the key, a set with one node and its lease; as measured. */
export const bytesOfRoute = 185;

/** What the model takes for granted, as sentences. */
export function assumptionsOf(demand: Demand, costs: Costs): readonly string[] {
  const { edges, leaseSeconds, networkGbitPerSecond, queueCores, payloadBytes } = demand;
  return [
    costs.source,
    ...costs.notes,
    'A message costs what it cost on one machine; batches are as full as they were then.',
    'Users and messages are spread evenly. Every user is connected once, and each message goes to one user.',
    `A payload has ${payloadBytes} bytes. Bytes are those of the payload and its frame, not of TCP, IP or TLS.`,
    'A node, an edge, a sender and a Redis each fill one core at most, and a full core is 100 % busy: plan for less.',
    `A node and a Redis each have ${networkGbitPerSecond} Gbit/s to themselves, as if alone on a machine.`,
    `The queue has ${queueCores === 1 ? '1 core, one Redis' : `${queueCores} cores, a Redis each, evenly used`}.`,
    'By the registry, every message is preceded by one read of where its user is, whose cost is in that of the queue; ' +
      'it is not a copy and not in the bytes.',
    `By the registry, a route is renewed every ${Number((leaseSeconds / 3).toFixed(1))} s, a third of its lease, at ` +
      `${costs.renewalMicros} µs of Redis, and takes ${bytesOfRoute} bytes of memory.`,
    edges === 0
      ? 'There are no edges: clients connect to the nodes themselves.'
      : 'By the ring, every edge has one connection to every node. Otherwise any node will do for a user, so an ' +
        `edge needs one connection only, or so many that ${wholeText(edges)} edges together reach all nodes.`,
    'Changes of the nodes, receipts, acknowledgements and messages kept for users who are away cost nothing here.',
  ];
}
