import type { Membership, MembersView } from '../src/member/contract.js';

/** Everything that a watch was told, in order. */
export interface RecordedWatch {
  readonly views: MembersView[];
  readonly troubles: Error[];
  readonly conflicts: { readonly id: string; readonly reason: string }[];
  fresh: number;
  /** Ids of the newest view; undefined before the first. */
  ids(): string | undefined;
  newest(): MembersView | undefined;
  end(): void;
}

export function record(membership: Membership): RecordedWatch {
  const views: MembersView[] = [];
  const troubles: Error[] = [];
  const conflicts: RecordedWatch['conflicts'] = [];
  const watch: RecordedWatch = {
    views,
    troubles,
    conflicts,
    fresh: 0,
    ids: () =>
      views
        .at(-1)
        ?.members.map(({ id }) => id)
        .join(' '),
    newest: () => views.at(-1),
    end: membership.watch({
      view: (view) => views.push(view),
      trouble: (error) => troubles.push(error),
      fresh: () => {
        watch.fresh++;
      },
      conflict: (entry) => conflicts.push(entry),
    }),
  };
  return watch;
}
