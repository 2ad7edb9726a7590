import type { HealthFinding } from './ask-health.js';
import type { Member } from './contract.js';
import type { HealthAnswer } from './health-answer.js';
import type { StaticMember } from './static-file.js';

/** What the members of a written-down list said of themselves when they last answered. */
export class StaticHeard {
  readonly #answers = new Map<string, HealthAnswer>();

  /** A member that does not answer keeps what it last said: the list is the operator's word, not its health. */
  note(id: string, finding: HealthFinding): void {
    if (finding.kind === 'node' && finding.answer.id === id) this.#answers.set(id, finding.answer);
  }

  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.#answers.keys()) if (!ids.has(id)) this.#answers.delete(id);
  }

  /** Answered once as a node, or has a port for WebSockets beside its own: a node. */
  member(written: StaticMember): Member {
    const answer = this.#answers.get(written.id);
    const isNode = written.wsPort !== undefined || answer !== undefined;
    return Object.freeze({
      ...written,
      weight: written.weight ?? 1,
      draining: (written.draining ?? false) || (answer?.draining ?? false),
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
}
