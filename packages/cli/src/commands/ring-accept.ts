import type { RingAnswer } from '@pinwheel/membership';
import type { Command, Invocation } from '../command.js';
import { table } from '../output/output.js';
import { askEach, hasFailed, toPrint } from '../service/ask-each.js';
import type { Credentials } from '../service/credentials.js';
import { type AdminTarget, unlistedTarget } from '../service/nodes-of.js';
import { type OpenRing, ringOptions, withRing } from '../service/open-ring.js';
import { targetsOf } from '../service/targets-of.js';
import { options } from '../settings/options.js';

/** What a process has when it has accepted. */
interface Accepted {
  readonly fingerprint: string;
  /** In its ring. */
  readonly members: number;
}

export const ringAcceptCommand: Command = {
  name: 'ring accept',
  summary:
    'has nodes, and the edges that are named, take the members that are listed: the end of a frozen ring',
  options: [...ringOptions, options.edge, options.json],
  run: (invocation) => withRing(invocation.settings, (ring) => acceptRing(invocation, ring)),
};

async function acceptRing({ settings, output }: Invocation, ring: OpenRing): Promise<number> {
  const named = targetsOf(settings, ring, nobody);
  const unlisted = await unlistedIn(named, ring.credentials);
  const answers = await askEach([...named, ...unlisted], accept);
  // who is not listed may well be gone, and is in no ring any more
  const heard = answers.filter(
    (answer, i) => i < named.length || !hasFailed(answer) || answer.code !== 'unreachable',
  );
  const failures = heard.filter(hasFailed);
  const rows = heard.map((answer) =>
    hasFailed(answer)
      ? [answer.id, 'has not accepted', '']
      : [answer.id, answer.fingerprint, String(answer.members)],
  );
  const rings = new Set(heard.map((answer) => (hasFailed(answer) ? undefined : answer.fingerprint)));
  const text = [table(['process', 'ring', 'members'], rows), ...failures.map(({ error }) => error)];
  if (failures.length > 0) text.push(askAgain);
  else if (rings.size > 1) text.push(stillUnequal);
  output.result({ accepted: heard.map(toPrint) }, text.join('\n'));
  return failures.length > 0 ? 1 : 0;
}

async function accept(target: AdminTarget): Promise<Accepted> {
  const { fingerprint, members } = (await target.post('/v1/ring/accept')) as RingAnswer;
  return { fingerprint, members: members.filter(({ state }) => state === 'active').length };
}

/** The nodes in the rings of these that are not among them: a ring is frozen because the source does not list its members. */
async function unlistedIn(
  named: readonly AdminTarget[],
  credentials: Credentials,
): Promise<readonly AdminTarget[]> {
  const found = new Map<string, AdminTarget>();
  for (const answer of await askEach(named, async (target) => (await target.get('/v1/ring')) as RingAnswer)) {
    if (hasFailed(answer)) continue;
    for (const member of answer.members) {
      const isNode = member.wsPort !== undefined;
      if (isNode && !named.some(({ id }) => id === member.id)) {
        found.set(member.id, unlistedTarget(member, credentials));
      }
    }
  }
  return [...found.values()];
}

const nobody =
  'nobody was asked: no Pinwheel node is listed; name the admin port of an edge with --edge http://host:port, whose ring has the nodes, or POST /v1/ring/accept to each of them';
const askAgain =
  'those that have not accepted go on with the ring that they had: run this again when they can be reached, or restart them';
const stillUnequal =
  'they do not have the same ring yet: one of them may not have read the newest list; run this again in a moment';
