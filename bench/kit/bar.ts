import type { Figures } from './fresh-process.js';
import { type Spread, spread } from './spread.js';

/** Figures of one round by contender: neighbours in time, so that their ratios bear a noisy machine. */
export type Round = Readonly<Record<string, Figures>>;

/** Something the bench must show. It is computed round by round, and its median is held against the bound. */
export interface Bar {
  readonly what: string;
  readonly of: (round: Round) => number;
  /** This or `atLeast`. */
  readonly atMost?: number;
  readonly atLeast?: number;
  /** The worst round is held against the bound: for faults, of which a median hides those of fewer than half the rounds. */
  readonly everyRound?: boolean;
}

export interface HeldBar extends Omit<Bar, 'of'>, Spread {
  readonly values: readonly number[];
  /** What was held against the bound: the median, or the worst round. */
  readonly judged: number;
  /** False when there is no number for one of the rounds; such a bar is not met. */
  readonly measured: boolean;
  readonly met: boolean;
}

/** @param rounds at least one. */
export function hold({ of, ...bar }: Bar, rounds: readonly Round[]): HeldBar {
  const { atMost = Number.POSITIVE_INFINITY, atLeast = Number.NEGATIVE_INFINITY, everyRound } = bar;
  // a figure that was not handed over is undefined, whatever its type says
  const values = rounds.map((round) => of(round) ?? Number.NaN);
  const { min, median, max } = spread(values);
  const worst = bar.atMost === undefined ? min : max;
  const judged = everyRound ? worst : median;
  // a ratio to a reference that did nothing is infinite
  const measured = values.every(Number.isFinite);
  const met = measured && judged <= atMost && judged >= atLeast;
  return { ...bar, values, min, median, max, judged, measured, met };
}

/** Of this there must be none, in any round. */
export function none(what: string, of: Bar['of']): Bar {
  return { what, of, atMost: 0, everyRound: true };
}
