/** A count for each name, all of them 0: plain numbers that a path raises, and a metric reads when it is asked for. */
export function zeros<K extends string>(names: readonly K[]): Record<K, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<K, number>;
}
