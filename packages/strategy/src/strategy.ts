import { checkWhole, PinwheelError } from '@pinwheel/protocol';
import type { Queue } from './queue.js';
import type { Routes } from './routes.js';

/** Every strategy by its name; `ring` is the default. */
export const strategyNames = ['ring', 'broadcast', 'registry'] as const;

export type StrategyName = (typeof strategyNames)[number];

/**
 * How a message finds its user; nodes and senders of a service must have the same one. Whoever opened the queue and the
 * routes closes them.
 */
export type Strategy = RingStrategy | BroadcastStrategy | RegistryStrategy;

/** The sender computes the owner and calls it. With a queue, what is for everybody goes through that. */
export interface RingStrategy {
  readonly name: 'ring';
  readonly queue?: Queue;
  readonly prefix?: string;
}

/** Every node hears every message and drops what is for users whom it does not have. */
export interface BroadcastStrategy {
  readonly name: 'broadcast';
  readonly queue: Queue;
  readonly prefix?: string;
  /**
   * Messages in one post; default: as many as wait. 1 is how most people run it, at ten times the cost; it is there to
   * be compared with.
   */
  readonly maxMessagesPerPost?: number;
}

/** Nodes write down whom they have; the sender reads that and posts to those nodes' own topics. */
export interface RegistryStrategy {
  readonly name: 'registry';
  readonly queue: Queue;
  readonly routes: Routes;
  readonly prefix?: string;
  /**
   * How long a node's word that it has a user counts, in ms; default 30,000, 1000–3,600,000. Shorter forgets a crashed
   * node sooner and writes more: every user's route is renewed three times in it.
   */
  readonly leaseMs?: number;
}

export const defaultPrefix = 'pinwheel';
export const defaultLeaseMs = 30_000;
const leaseBounds = [1000, 3_600_000] as const;

export const ringStrategy: Strategy = Object.freeze({ name: 'ring' });

/** @throws PinwheelError `bad-option` that names the option, the value and the bound. */
export function checkStrategy(strategy: Strategy): Strategy {
  const { name, prefix = defaultPrefix } = strategy;
  if (!strategyNames.includes(name)) {
    throw bad(`strategy is ${JSON.stringify(name)}; it must be one of: ${strategyNames.join(', ')}`);
  }
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(prefix)) {
    throw bad(
      `prefix is ${JSON.stringify(prefix)}; it must be 1 to 64 of the characters A-Z a-z 0-9 _ -, as topics begin with it`,
    );
  }
  if (name !== 'ring' && strategy.queue === undefined) throw bad(`the strategy ${name} needs a queue`);
  if (name === 'broadcast') checkWhole('maxMessagesPerPost', strategy.maxMessagesPerPost ?? 1, 1, 16_384);
  if (name === 'registry') {
    if (strategy.routes === undefined) throw bad('the strategy registry needs routes');
    checkWhole('leaseMs', strategy.leaseMs ?? defaultLeaseMs, ...leaseBounds);
  }
  return strategy;
}

/** Whether a user's sessions may be at any nodes, and at several. */
export function isAnywhere({ name }: Strategy): boolean {
  return name !== 'ring';
}

/** Why no receipt can wait for a client; `undefined` where it can. */
export function whyNoWait({ name }: Strategy): string | undefined {
  return name === 'ring' ? undefined : `with the strategy ${name} nobody answers`;
}

/** The topics of a service. */
export const topics = {
  /** `broadcast`: what is for one user and what is for everybody. */
  broadcast: ({ prefix = defaultPrefix }: Strategy): string => `${prefix}.broadcast`,
  /** The other strategies: what is for everybody. */
  everybody: ({ prefix = defaultPrefix }: Strategy): string => `${prefix}.everybody`,
  /** `registry`: what is for users of one node. A node that has been replaced has another incarnation. */
  node: ({ prefix = defaultPrefix }: Strategy, incarnation: string): string =>
    `${prefix}.node.${incarnation}`,
} as const;

/** Where what is for everybody is posted; `undefined`: there is no queue. */
export function everybodysTopic(strategy: Strategy): string | undefined {
  if (strategy.name === 'broadcast') return topics.broadcast(strategy);
  return strategy.queue === undefined ? undefined : topics.everybody(strategy);
}

/** How a registry names a node: by its id, for people, and its incarnation, for its topic. */
export const nodeName = {
  of: (id: string, incarnation: string): string => `${id}/${incarnation}`,
  id: (name: string): string => name.slice(0, name.lastIndexOf('/')),
  incarnation: (name: string): string => name.slice(name.lastIndexOf('/') + 1),
} as const;

function bad(why: string): PinwheelError {
  return new PinwheelError('bad-option', why);
}
