import type { Holder } from '@pinwheel/holder';
import { type Log, systemClock } from '@pinwheel/membership';
import { everybodysTopic, nodeName, Registrar, type Strategy, topics } from '@pinwheel/strategy';
import { QueueIntake, type QueueIntakeOptions } from './queue-intake.js';

const closeMs = 1000;

/** What a node has of its strategy beside the ring: it listens to a queue, and says in a registry whom it has. */
export class QueueSide {
  readonly intake: QueueIntake | undefined;
  readonly registrar: Registrar | undefined;

  constructor(registrar: Registrar | undefined, intake: QueueIntake | undefined) {
    this.registrar = registrar;
    this.intake = intake;
  }

  /** @throws PinwheelError (rejects) `unavailable` when the queue does not answer. */
  async start(): Promise<void> {
    await this.intake?.start();
  }

  whyDeaf(): string | undefined {
    return this.intake?.isUp === false ? 'waiting for the queue' : undefined;
  }

  async close(): Promise<void> {
    await this.registrar?.close(closeMs);
    await this.intake?.close();
  }
}

export interface RegistrarParts {
  readonly strategy: Strategy;
  readonly id: string;
  readonly incarnation: string;
  readonly log: Log;
}

/** Writes down whom the node has, when its strategy is a registry. */
export function createRegistrar({ strategy, id, incarnation, log }: RegistrarParts): Registrar | undefined {
  if (strategy.name !== 'registry') return undefined;
  const { routes, leaseMs } = strategy;
  return new Registrar({
    routes,
    where: nodeName.of(id, incarnation),
    ...(leaseMs === undefined ? {} : { leaseMs }),
    clock: systemClock,
    random: Math.random,
    failing: ({ message }) =>
      log.error(
        { registry: routes.description, error: message },
        'routes cannot be written: who comes now is not found by senders until they can',
      ),
    working: () => log.info({ registry: routes.description }, 'routes can be written again'),
    refused: (user) =>
      log.error(
        { registry: routes.description, user },
        'something else is where the route of this user belongs, who is not found by senders; others may follow, and are not named',
      ),
  });
}

export interface IntakeParts extends Pick<QueueIntakeOptions, 'route' | 'newId' | 'now'> {
  readonly holder: Holder;
  readonly log: Log;
  readonly incarnation: string;
}

export function createQueueSide(
  strategy: Strategy,
  registrar: Registrar | undefined,
  { incarnation, ...parts }: IntakeParts,
): QueueSide {
  if (strategy.queue === undefined) return new QueueSide(registrar, undefined);
  const own = strategy.name === 'registry' ? [topics.node(strategy, incarnation)] : [];
  const intake = new QueueIntake({
    ...parts,
    queue: strategy.queue,
    topics: [everybodysTopic(strategy)!, ...own],
    followsMoves: strategy.name === 'registry',
    // while nobody listened to this node's topic, senders took its routes for those of a node that is gone
    back: () => registrar?.renewAll(),
  });
  return new QueueSide(registrar, intake);
}
