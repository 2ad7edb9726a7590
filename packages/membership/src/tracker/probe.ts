import { connect } from 'node:net';
import { askHealth, type HealthFinding, kindOf } from '../member/ask-health.js';
import type { Member } from '../member/contract.js';
import type { ProbeOutcome } from '../settle/standing.js';

export interface ProbeOptions {
  /** Deadline of one try, in ms. Default 500. */
  readonly timeoutMs: number;
  /** Tries before a silent member counts as unreachable. Default 2. One that refuses is not asked again. */
  readonly tries: number;
}

export const defaultProbeOptions: ProbeOptions = Object.freeze({ timeoutMs: 500, tries: 2 });

/** Asks a member directly; never rejects, and answers within `timeoutMs × tries`. */
export type Probe = (member: Member) => Promise<ProbeOutcome>;

/** Nodes are asked for `/healthz`; of a foreign backend only that it accepts a connection is known. */
export function directProbe(options: ProbeOptions = defaultProbeOptions): Probe {
  return async (member) => {
    for (let tries = options.tries; ; tries--) {
      const finding =
        member.kind === 'node'
          ? await askHealth(member.address, member.port, options.timeoutMs)
          : await tryConnect(member, options.timeoutMs);
      if (finding !== 'connected' && finding.kind === 'silent' && tries > 1) continue;
      return finding === 'connected' ? 'alive' : verdict(member, finding);
    }
  };
}

/** What a finding says about the member that was known under this id. */
export function verdict(member: Member, finding: HealthFinding): ProbeOutcome {
  switch (finding.kind) {
    case 'node': {
      const { id, incarnation, draining } = finding.answer;
      if (id !== member.id) return 'replaced';
      if (member.incarnation !== undefined && member.incarnation !== incarnation) return 'replaced';
      return draining ? 'draining' : 'alive';
    }
    case 'other':
      return 'replaced';
    case 'refused':
    case 'silent':
      return 'unreachable';
    case 'unasked':
      return 'unasked';
    default:
      return finding satisfies never;
  }
}

function tryConnect({ address, port }: Member, timeoutMs: number): Promise<'connected' | HealthFinding> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: timeoutMs });
    const end = (found: 'connected' | HealthFinding): void => {
      socket.destroy();
      resolve(found);
    };
    socket.once('connect', () => end('connected'));
    socket.once('timeout', () => end({ kind: 'silent', reason: 'no connection in time' }));
    socket.on('error', (error) => end({ kind: kindOf(error), reason: error.message }));
  });
}
