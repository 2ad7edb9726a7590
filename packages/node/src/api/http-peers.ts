import type { PeerAnswer, Peers } from '@pinwheel/holder';
import type { Log, Member } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';
import { type NodeClients, refusalOf } from '@pinwheel/sender';
import { z } from 'zod';
import { ToldFailures } from './told-failures.js';

/** Where each call is posted. */
export const peerPaths = { claim: '/v1/claims', prepare: '/v1/handoffs', commit: '/v1/commits' } as const;

const peerAnswer = z.object({
  incarnation: z.string(),
  fingerprint: z.string(),
  foreignUsers: z.number(),
  answers: z.array(z.looseObject({ kind: z.string() })),
});

/** The calls between nodes, over HTTP. */
export function httpPeers(
  clients: NodeClients,
  deadlineMs: number,
  claimDeadlineMs: number,
  log: Log,
): Peers {
  const told = new ToldFailures(log);
  const call = async <Answer>(
    member: Member,
    path: string,
    request: { readonly users: readonly unknown[] },
    withinMs: number,
  ): Promise<PeerAnswer<Answer>> => {
    const options = { deadlineMs: withinMs, contentType: 'application/json' };
    const { status, body } = await clients.of(member).call('POST', path, options, JSON.stringify(request));
    if (status !== 200) throw refusalOf(member.id, status, body);
    const answer = peerAnswer.parse(JSON.parse(body));
    if (answer.answers.length !== request.users.length) {
      const counts = `${answer.answers.length} answers for ${request.users.length} users`;
      throw new PinwheelError('unknown-outcome', `member ${member.id} gave ${counts}`);
    }
    return answer as unknown as PeerAnswer<Answer>;
  };
  const heard = async <Answer>(
    { id }: Member,
    asked: Promise<PeerAnswer<Answer>>,
  ): Promise<PeerAnswer<Answer>> => {
    try {
      const answer = await asked;
      told.answered(id);
      return answer;
    } catch (error) {
      told.failed(id, error);
      throw error;
    }
  };
  return {
    claim: (member, request) => heard(member, call(member, peerPaths.claim, request, claimDeadlineMs)),
    prepare: (member, request) => heard(member, call(member, peerPaths.prepare, request, deadlineMs)),
    commit: (member, request) => call(member, peerPaths.commit, request, deadlineMs),
  };
}
