import { contenders } from '../result.js';
import { assumptionsOf, bytesOfRoute } from './assumptions.js';
import { type Costs, measuredCosts } from './costs.js';
import { type Demand, demandOf, type GivenDemand } from './demand.js';
import { limitsOf } from './limits.js';
import type { CoresByKind, ModelResult, StrategyModel } from './model-result.js';
import { loadOf, type StrategyLoad } from './strategy-load.js';

/**
 * What a demand takes by each strategy, on more machines than one has: arithmetic from the costs of one message.
 *
 * @throws PinwheelError `bad-option` when the demand is out of bounds.
 */
export function modelOf(given: GivenDemand, costs: Costs = measuredCosts): ModelResult {
  const demand = demandOf(given);
  return {
    demand,
    costs,
    strategies: contenders.map((strategy) => strategyModel(loadOf(strategy, demand, costs), demand)),
    assumptions: assumptionsOf(demand, costs),
  };
}

function strategyModel(load: StrategyLoad, demand: Demand): StrategyModel {
  const cores = coresOf(load, demand);
  const limits = limitsOf(load, demand);
  const messages = load.copies * demand.messagesPerSecond;
  const isRegistry = load.strategy === 'registry';
  return {
    strategy: load.strategy,
    copiesPerMessage: load.copies,
    messagesBetweenProcessesPerSecond: messages,
    bytesBetweenProcessesPerSecond: messages * load.copyBytes,
    bytesIntoEachNodePerSecond: load.bytesIntoNode,
    ...(isRegistry
      ? {
          registryReadsPerSecond: demand.messagesPerSecond,
          registryWritesPerSecond: load.renewalsPerSecond,
        }
      : {}),
    cores,
    machines: Math.ceil(cores.total / demand.coresPerMachine),
    links: load.links,
    queueConnections: load.queueConnections,
    routeMemoryBytes: isRegistry ? demand.users * bytesOfRoute : 0,
    limits,
    firstLimit: limits[0]!,
  };
}

function coresOf({ micros, renewalCores }: StrategyLoad, { messagesPerSecond }: Demand): CoresByKind {
  const cores = (each: number) => (messagesPerSecond * each) / 1e6;
  const [sender, queue] = [cores(micros.sender), cores(micros.queue) + renewalCores];
  const [nodes, edges] = [cores(micros.nodes), cores(micros.edges)];
  return { sender, queue, nodes, edges, total: sender + queue + nodes + edges };
}
