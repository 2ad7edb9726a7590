import type { HealthFinding } from '../member/ask-health.js';
import type { Member } from '../member/contract.js';
import type { HealthAnswer } from '../member/health-answer.js';
import type { StaticMember } from './static-file.js';

/** One that drains and is silent may be standing still; after so many questions in a row its machine is off. */
const maxSilent = 30;

/** What the members of a written-down list said of themselves when they last answered. */
export class StaticHeard {
  readonly #answers = new Map<string, HealthAnswer>();
  /** Questions in a row without a word of the member. Where nobody listens, or somebody else, two of them will do. */
  readonly #unanswered = new Map<string, number>();

  /** A member that does not answer keeps what it last said: the list is the operator's word, not its health. */
  note(id: string, finding: HealthFinding): void {
    if (finding.kind === 'unasked') return;
    if (finding.kind === 'node' && finding.answer.id === id) {
      this.#answers.set(id, finding.answer);
      this.#unanswered.delete(id);
    } else {
      const weight = finding.kind === 'silent' ? 1 : maxSilent / 2;
      this.#unanswered.set(id, (this.#unanswered.get(id) ?? 0) + weight);
    }
  }

  keepOnly(ids: ReadonlySet<string>): void {
    for (const known of [this.#answers, this.#unanswered]) {
      for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
    }
  }

  /** It was there, drained, and is not there any more: it has nobody, and need not be asked for anybody. */
  hasLeft(written: StaticMember): boolean {
    const { id } = written;
    const unanswered = this.#unanswered.get(id) ?? 0;
    return this.#answers.has(id) && this.#isDraining(written) && unanswered >= maxSilent;
  }

  /** Answered once as a node, or has a port for WebSockets beside its own: a node. */
  member(written: StaticMember): Member {
    const answer = this.#answers.get(written.id);
    const wsPort = written.wsPort ?? answer?.wsPort;
    const isNode = wsPort !== undefined || answer !== undefined;
    return Object.freeze({
      ...written,
      ...(wsPort === undefined ? {} : { wsPort }),
      weight: written.weight ?? 1,
      draining: this.#isDraining(written),
      kind: isNode ? 'node' : 'foreign',
      ...(answer === undefined
        ? {}
        : {
            incarnation: answer.incarnation,
            settingsDigest: answer.settings.digest,
            settingsText: answer.settings.text,
          }),
    });
  }

  #isDraining({ id, draining = false }: StaticMember): boolean {
    return draining || (this.#answers.get(id)?.draining ?? false);
  }
}
