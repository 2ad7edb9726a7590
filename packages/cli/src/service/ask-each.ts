import { type ErrorCode, PinwheelError } from '@pinwheel/protocol';
import type { AdminTarget } from './nodes-of.js';

export interface Failed {
  readonly id: string;
  /** In words. */
  readonly error: string;
  /** `unreachable`: nobody answered there. */
  readonly code: ErrorCode;
}

/** Asks all of them at the same time: what each has answered, or why it has not. Never rejects. */
export function askEach<Said extends object>(
  targets: readonly AdminTarget[],
  ask: (target: AdminTarget) => Promise<Said>,
): Promise<readonly (({ readonly id: string } & Said) | Failed)[]> {
  return Promise.all(
    targets.map(async (target) => {
      try {
        return { id: target.id, ...(await ask(target)) };
      } catch (thrown) {
        const { message, code } = PinwheelError.from(thrown);
        return { id: target.id, error: message, code };
      }
    }),
  );
}

export function hasFailed(answer: object): answer is Failed {
  return 'error' in answer;
}

/** An answer as it is printed with `--json`. */
export function toPrint<Said extends object>(answer: Said | Failed): Said | Pick<Failed, 'id' | 'error'> {
  return hasFailed(answer) ? { id: answer.id, error: answer.error } : answer;
}
