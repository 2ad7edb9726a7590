import { z } from 'zod';

/** What a Pinwheel node answers to `GET /healthz`. */
export interface HealthAnswer {
  readonly id: string;
  readonly incarnation: string;
  readonly draining: boolean;
  /** Where its clients come without an edge; nodes before this field leave it out. */
  readonly wsPort?: number | undefined;
  /** That it has a key of the service, when it was asked for that and has one. */
  readonly proof?: string | undefined;
  readonly settings: { readonly digest: string; readonly text: string };
}

/** `undefined` for anything that is not a Pinwheel node's answer. */
export function parseHealthAnswer(text: string): HealthAnswer | undefined {
  try {
    return answer.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

const answer = z.object({
  id: z.string().min(1).max(64),
  incarnation: z.string().min(1).max(64),
  draining: z.boolean(),
  wsPort: z.number().int().min(1).max(65_535).optional(),
  proof: z.string().max(200).optional(),
  settings: z.object({ digest: z.string().max(64), text: z.string().max(512) }),
});
