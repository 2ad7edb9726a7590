export function userNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `user-${i}`);
}

/** One of the users, each equally likely, by a generator that costs next to nothing (xorshift). */
export function anyOf(users: readonly string[]): () => string {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return users[(state >>> 0) % users.length]!;
  };
}
