/** Something that happens in a schedule. Plain data: a schedule can be printed, kept and made smaller. */
export type SimEvent = { readonly at: number } & (
  | { readonly kind: 'send'; readonly sender: string; readonly user: string; readonly count: number }
  | { readonly kind: 'client sends'; readonly client: string; readonly count: number }
  | { readonly kind: 'client sends to'; readonly client: string; readonly user: string }
  | { readonly kind: 'join'; readonly node: string }
  | { readonly kind: 'drain'; readonly node: string }
  /** `backMs`: another process comes under its id. */
  | {
      readonly kind: 'crash';
      readonly node: string;
      readonly silent: boolean;
      readonly noticedMs: number;
      readonly backMs: number | undefined;
    }
  /** `noticedMs`: it is taken out of the membership until it wakes. */
  | {
      readonly kind: 'pause';
      readonly node: string;
      readonly forMs: number;
      readonly noticedMs: number | undefined;
    }
  /** It is alive, and out of the membership. */
  | { readonly kind: 'dismiss'; readonly node: string; readonly forMs: number }
  /** It does not hear of the membership. */
  | { readonly kind: 'blind'; readonly process: string; readonly forMs: number }
  | { readonly kind: 'part'; readonly one: string; readonly other: string; readonly forMs: number }
  /** What was under way is lost; when each end is told, `undefined` for never. */
  | {
      readonly kind: 'cut link';
      readonly edge: string;
      readonly node: string;
      readonly edgeToldMs: number | undefined;
      readonly nodeToldMs: number | undefined;
    }
  | {
      readonly kind: 'freeze link';
      readonly edge: string;
      readonly node: string;
      readonly from: 'edge' | 'node' | 'both';
      readonly forMs: number;
    }
  | { readonly kind: 'lose calls'; readonly rate: number; readonly forMs: number }
  | { readonly kind: 'slow calls'; readonly mostMs: number; readonly forMs: number }
  | {
      readonly kind: 'crash edge';
      readonly edge: string;
      readonly silent: boolean;
      readonly backMs: number;
    }
  | { readonly kind: 'pause edge'; readonly edge: string; readonly forMs: number }
  | { readonly kind: 'drain edge'; readonly edge: string; readonly backMs: number }
  /** Its socket dies; when each end is told, `undefined` for never. */
  | {
      readonly kind: 'cut client';
      readonly client: string;
      readonly clientToldMs: number;
      readonly edgeToldMs: number | undefined;
    }
  | { readonly kind: 'client sleeps'; readonly client: string; readonly forMs: number }
  | { readonly kind: 'client does not read'; readonly client: string; readonly forMs: number }
  | { readonly kind: 'client closes'; readonly client: string }
  | { readonly kind: 'pause moves'; readonly node: string; readonly forMs: number }
);

export function describeEvent({ at, kind, ...rest }: SimEvent): string {
  const words = Object.entries(rest).map(([name, value]) => `${name} ${value}`);
  return `${at.toFixed(0).padStart(7)}  ${kind}: ${words.join(', ')}`;
}
