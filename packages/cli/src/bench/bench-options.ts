import { contenders, phases } from '@pinwheel/bench/result.js';
import { flag, number, type Option, text, url, whole } from '../settings/option.js';

/** They make sense for one call only, and some have the names of other commands' options. */
function forOneCall(option: Option): Option {
  return { ...option, onlyFlag: true };
}

/** Options of the bench and its model. */
export const benchOptions = {
  strategies: forOneCall(text('strategies', 'LIST', `of: ${contenders.join(', ')}`, 'all')),
  nodeCounts: forOneCall(text('nodes', 'LIST', 'numbers of nodes', '3,5,10')),
  users: forOneCall(text('users', 'COUNT', 'connected users, as in 1000 or 2k', '1000')),
  rate: forOneCall(text('rate', 'COUNT', 'messages per second of the phases at a fixed rate', '1000')),
  payload: forOneCall(whole('payload', 8, 65_000, 'bytes of a message', '128')),
  rounds: forOneCall(whole('rounds', 1, 100, 'rounds, in alternating order', '3')),
  phases: forOneCall(text('phases', 'LIST', `of: ${phases.join(', ')}`, 'all')),
  steadySeconds: forOneCall(whole('steady-seconds', 1, 600, 'measured time at the fixed rate', '8')),
  saturationSeconds: forOneCall(whole('saturation-seconds', 1, 600, 'measured time when saturated', '8')),
  changeSeconds: forOneCall(
    whole('change-seconds', 3, 600, 'time from a change of the nodes until it is judged', '10'),
  ),
  outstanding: forOneCall(
    whole('outstanding', 1, 60_000, 'messages on their way at any time when saturated', '16384'),
  ),
  warmUp: forOneCall(
    whole(
      'warm-up',
      0,
      100_000,
      'messages that each node has had one at a time before it is measured',
      '4000',
    ),
  ),
  edges: forOneCall(whole('edges', 0, 16, 'edges; 0: clients connect to the nodes', '0')),
  redis: forOneCall(
    url('redis', ['redis:', 'rediss:'], 'an idle Redis, in place of one that the bench starts', 'its own'),
  ),
  quick: forOneCall(flag('quick', '3 and 10 nodes, no changes, one short round: under 90 s')),
  jsonFile: forOneCall(text('json', 'FILE', 'where the result is written as JSON', 'nowhere')),
  htmlFile: forOneCall(text('html', 'FILE', 'where the report is written, with plots', 'nowhere')),

  modelUsers: forOneCall(text('users', 'COUNT', 'connected users, as in 50M', '50M')),
  modelNodes: forOneCall(text('nodes', 'COUNT', 'nodes', '500')),
  modelEdges: forOneCall(text('edges', 'COUNT', 'edges; 0: clients connect to the nodes', '200')),
  messagesPerSecond: forOneCall(
    text('msgs-per-second', 'COUNT', 'messages per second, of all senders', '2M'),
  ),
  cores: forOneCall(whole('cores', 1, 1024, 'cores of a machine', '8')),
  networkGbit: forOneCall(number('network-gbit', 0.001, 10_000, 'network of a machine, in Gbit/s', '10')),
  queueCores: forOneCall(whole('queue-cores', 1, 10_000, 'cores for the queue, one for each Redis', '1')),
  maxConnections: forOneCall(text('max-connections', 'COUNT', 'connections that one process can hold', '1M')),
  leaseSeconds: forOneCall(number('lease', 1, 86_400, 'registry: lease of a route, in s', '30')),
  from: forOneCall(
    text('from', 'FILE', 'result of a bench whose costs are taken', 'costs measured by its authors'),
  ),
} as const satisfies Record<string, Option>;
