/** When a change of membership becomes a change of the ring. All times in ms. */
export interface SettleOptions {
  /**
   * A member that joined counts once nobody else has joined for this long. Default 250. Longer: fewer ring
   * changes while a service starts; shorter: a lone joiner takes its users sooner.
   */
  readonly joinQuietMs: number;
  /** Joiners count after this long even if others keep joining. Default 2000. */
  readonly joinLongestMs: number;
  /**
   * A member that vanished from the source but answers as itself stays in the ring for this long. Default 10000.
   * Longer: rides out longer faults of the source; shorter: follows an operator's removal sooner.
   */
  readonly vanishGraceMs: number;
  /** First pause between two probes of such a member, ±25 %; it doubles. Default 1000. */
  readonly reprobeMs: number;
  /**
   * The ring freezes when more than this part of its members is missing from the source, 0–1. Default 0.5.
   * Higher: believes the source more; lower: asks the members more often.
   */
  readonly freezeAbove: number;
  /** Departures without a word further apart than this are not flapping. Default 60000. */
  readonly flapWindowMs: number;
  /** Wait after the second such departure; doubles with each one. Default 2000. */
  readonly flapFirstWaitMs: number;
  /** The longest such wait. Default 60000. */
  readonly flapLongestWaitMs: number;
}

export const defaultSettleOptions: SettleOptions = Object.freeze({
  joinQuietMs: 250,
  joinLongestMs: 2_000,
  vanishGraceMs: 10_000,
  reprobeMs: 1_000,
  freezeAbove: 0.5,
  flapWindowMs: 60_000,
  flapFirstWaitMs: 2_000,
  flapLongestWaitMs: 60_000,
});
