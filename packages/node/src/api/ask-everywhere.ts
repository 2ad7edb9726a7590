import type { Member } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';

/** What one node said of its own users. */
export type NodeAnswer =
  | { readonly node: string; readonly body: Readonly<Record<string, unknown>> }
  | { readonly node: string; readonly error: string };

/** Asks every one of the nodes, at the same time. Never rejects. */
export function askEverywhere(
  members: Iterable<Member>,
  ask: (member: Member) => Promise<{ readonly status: number; readonly body: string }>,
): Promise<readonly NodeAnswer[]> {
  return Promise.all(
    [...members].map(async (member): Promise<NodeAnswer> => {
      const node = member.id;
      try {
        const { status, body } = await ask(member);
        return status === 200 ? { node, body: JSON.parse(body) } : { node, error: `answered ${status}` };
      } catch (thrown) {
        return { node, error: PinwheelError.from(thrown).message };
      }
    }),
  );
}
