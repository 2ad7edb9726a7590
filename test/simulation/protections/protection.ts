import type { Kind } from '../generate.js';

/** What is promised; the rule of every violation begins with the one that it breaks. */
export type Invariant =
  /** At most one holder of a user, or two of which one is marked. */
  | 'I1'
  /** What one sender sends to a user keeps its order. */
  | 'I2'
  /** A receipt tells the truth: what was taken comes to every session, once. */
  | 'I3'
  /** Everybody comes to the owner, and is served. */
  | 'I4'
  /** Whoever has nothing to do with it sees nothing of it. */
  | 'I5'
  /** Nothing grows without a bound, or waits for ever. */
  | 'I6'
  /** A move that does not come off leaves its user served. */
  | 'I7'
  /** What a client sends is processed once and in order. */
  | 'I8';

/** Something that the protocol does lest a promise be broken. */
export interface Protection {
  /** What may be broken without it. */
  readonly breaks: readonly Invariant[];
  /** Schedules in which that shows; default: the small ones. `by name`: only in those that are made for it. */
  readonly shows?: Kind | 'by name';
  /** Takes it from every process. @returns the call that gives it back. */
  readonly takeAway: () => () => void;
}

/** By what is so, as long as it is there. */
export type Protections = Readonly<Record<string, Protection>>;

/** Replaces a method for every object of its class. @returns the call that puts it back. */
export function replace<T extends object, K extends keyof T>(
  prototype: T,
  name: K,
  make: (original: T[K]) => T[K],
): () => void {
  const original = prototype[name];
  prototype[name] = make(original);
  return () => {
    prototype[name] = original;
  };
}

export function nothing(): undefined {}
