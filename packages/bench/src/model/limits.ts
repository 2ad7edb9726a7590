import { wholeText } from '../report/number-text.js';
import { isBroadcast } from './copies.js';
import type { Demand } from './demand.js';
import type { Limit, LimitName } from './model-result.js';
import type { StrategyLoad } from './strategy-load.js';

const bytesOfGbit = 1e9 / 8;

/** Every limit that a strategy has, the most used first. */
export function limitsOf(load: StrategyLoad, demand: Demand): readonly Limit[] {
  const limits = [...queueLimits(load, demand), ...nodeLimits(load, demand), ...edgeLimits(load, demand)];
  return limits.sort((a, b) => b.used - a.used);
}

function queueLimits(load: StrategyLoad, demand: Demand): readonly Limit[] {
  if (load.strategy === 'ring') return [];
  const { messagesPerSecond, queueCores, networkGbitPerSecond, maxConnectionsPerProcess, nodes } = demand;
  const redis = queueCores === 1 ? 'one Redis (1 core)' : `${queueCores} Redis (1 core each)`;
  const left = Math.max(0, queueCores - load.renewalCores);
  const renewing =
    load.renewalCores === 0
      ? ''
      : ` besides ${wholeText(load.renewalsPerSecond)} renewals/s, which fill ${digits(load.renewalCores)} cores`;
  const full = Math.floor((left * 1e6) / load.micros.queue);
  const used = ((messagesPerSecond * load.micros.queue) / 1e6 + load.renewalCores) / queueCores;
  const gbit = load.bytesFromQueue / bytesOfGbit;
  const bound = networkGbitPerSecond * queueCores;
  return [
    limit('queue-cpu', used, `${redis} is full at ${asked(full, messagesPerSecond, renewing)}`),
    limit(
      'queue-network',
      gbit / bound,
      `the queue must send ${digits(gbit)} Gbit/s; its ${machines(queueCores)} can send ${digits(bound)}`,
    ),
    limit(
      'queue-connections',
      load.queueConnections / maxConnectionsPerProcess,
      `connections to the queue: ${wholeText(load.queueConnections)}, of ${wholeText(nodes)} nodes and the senders; ` +
        `a process holds ${wholeText(maxConnectionsPerProcess)}`,
    ),
  ];
}

function nodeLimits(load: StrategyLoad, demand: Demand): readonly Limit[] {
  const { nodes, edges, users, messagesPerSecond, networkGbitPerSecond, maxConnectionsPerProcess } = demand;
  const perMessage = load.micros.nodes / nodes;
  const gbit = load.bytesIntoNode / bytesOfGbit;
  const direct = edges === 0 ? Math.ceil(users / nodes) : 0;
  const queue = load.strategy === 'ring' ? 0 : 1;
  const each = load.microsAtEachNode;
  const most = each > 0 ? `, and no number of nodes takes more than ${wholeText(1e6 / each)}` : '';
  const however = isBroadcast(load.strategy) ? ', however many nodes there are' : '';
  return [
    limit(
      'node-cpu',
      (messagesPerSecond * perMessage) / 1e6,
      `a node's core (${wholeText(nodes)} nodes, 1 core each) is full at ` +
        asked(Math.floor(1e6 / perMessage), messagesPerSecond) +
        most,
    ),
    limit(
      'node-network',
      gbit / networkGbitPerSecond,
      `every node must take in ${digits(gbit)} Gbit/s${however}; a machine takes ${networkGbitPerSecond}`,
    ),
    limit(
      'node-connections',
      (direct + load.linksOfNode + queue) / maxConnectionsPerProcess,
      `${linksText(load)}, ${wholeText(load.linksOfNode)} per node, and ${wholeText(direct)} clients; ` +
        `a process holds ${wholeText(maxConnectionsPerProcess)} connections`,
    ),
  ];
}

function edgeLimits(load: StrategyLoad, demand: Demand): readonly Limit[] {
  const { edges, users, messagesPerSecond, maxConnectionsPerProcess } = demand;
  if (edges === 0) return [];
  const clients = Math.ceil(users / edges);
  const perMessage = load.micros.edges / edges;
  return [
    limit(
      'edge-cpu',
      (messagesPerSecond * perMessage) / 1e6,
      `an edge's core (${wholeText(edges)} edges, 1 core each) is full at ` +
        asked(Math.floor(1e6 / perMessage), messagesPerSecond),
    ),
    limit(
      'edge-connections',
      (clients + load.linksOfEdge) / maxConnectionsPerProcess,
      `${linksText(load)}, ${wholeText(load.linksOfEdge)} per edge, and ${wholeText(clients)} clients; ` +
        `a process holds ${wholeText(maxConnectionsPerProcess)} connections`,
    ),
  ];
}

function limit(name: LimitName, used: number, text: string): Limit {
  return { name, used, text };
}

function asked(full: number, messagesPerSecond: number, besides = ''): string {
  return `${wholeText(full)} messages/s${besides}; this asks ${wholeText(messagesPerSecond)}`;
}

function linksText({ links }: StrategyLoad): string {
  return `links: ${wholeText(links)} pairs of edges and nodes`;
}

function machines(count: number): string {
  return count === 1 ? 'machine' : `${count} machines`;
}

/** Two decimals at most, as much as a model can mean. */
function digits(value: number): string {
  return value >= 100 ? wholeText(value) : String(Number(value.toPrecision(2)));
}
