/** The sessions of the node at that port; of one that has left: none. */
export async function sessionsAt(port: number): Promise<number> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/migrations`);
    return ((await answer.json()) as { readonly sessions: number }).sessions;
  } catch {
    return 0;
  }
}
