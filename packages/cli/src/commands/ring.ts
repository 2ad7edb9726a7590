import { ringAnswer } from '@pinwheel/membership';
import { PinwheelError, parseUserId } from '@pinwheel/protocol';
import { parseRingMember, plan, type RingChange, type RingPlan } from '@pinwheel/ring';
import type { Command, Invocation } from '../command.js';
import { counted, percent, table } from '../output/output.js';
import { describeIgnored, ignoredBy, refuseAllIgnored, whyAllIgnored } from '../service/ignored-members.js';
import { nodesOf } from '../service/nodes-of.js';
import { type OpenRing, ringOptions, withRing } from '../service/open-ring.js';
import { options } from '../settings/options.js';
import { ringAcceptCommand } from './ring-accept.js';

const show: Command = {
  name: 'ring show',
  summary: 'the members, their shares, and the fingerprint',
  options: [...ringOptions, options.json],
  run: ({ settings, output }) =>
    withRing(settings, async ({ state, tracker }) => {
      const answer = ringAnswer(state);
      const ignored = ignoredBy(tracker);
      const rows = answer.members.map(({ id, address, port, weight, state: standing, share }) => {
        return [id, `${address}:${port}`, String(weight), standing, percent(share)];
      });
      const text = table(['member', 'address', 'weight', 'state', 'share'], rows);
      const parts = [text, `fingerprint ${answer.fingerprint}`, ...describeIgnored(ignored)];
      const empty = answer.members.length === 0;
      output.result(
        { ...answer, ignored },
        empty ? (whyAllIgnored(tracker) ?? emptyRing) : parts.join('\n\n'),
      );
      return empty && ignored.length > 0 ? 1 : 0;
    }),
};

const emptyRing = 'the ring is empty: is a node up, and does --membership name its service?';

const owner: Command = {
  name: 'ring owner',
  words: ['USER…'],
  summary: 'the member that owns each user',
  options: [...ringOptions, options.json],
  run: ({ settings, words, output }) =>
    withRing(settings, async ({ state, tracker }) => {
      refuseAllIgnored(tracker);
      const { ring } = state;
      const owners = words.map((user) => ({ user, owner: ring.owner(parseUserId(user)) ?? null }));
      const text = owners
        .map(({ user, owner: id }) => `${user}\t${id ?? 'nobody: the ring is empty'}`)
        .join('\n');
      output.result({ fingerprint: ring.fingerprint, owners }, text);
      return ring.members.length === 0 ? 1 : 0;
    }),
};

const planCommand: Command = {
  name: 'ring plan',
  summary: 'what a change would move, with live users where the nodes can be reached',
  options: [...ringOptions, options.add, options.remove, options.json],
  run: (invocation) => withRing(invocation.settings, (ring) => showPlan(invocation, ring)),
};

export const ringCommands: readonly Command[] = [show, owner, planCommand, ringAcceptCommand];

async function showPlan(
  { settings, output }: Invocation,
  { state, tracker, credentials }: OpenRing,
): Promise<number> {
  const change: RingChange = {
    add: (settings.texts(options.add) ?? []).map(parseRingMember),
    remove: settings.texts(options.remove) ?? [],
  };
  if (change.add?.length === 0 && change.remove?.length === 0) {
    throw new PinwheelError('bad-option', 'nothing to plan; give --add id[:weight] or --remove id');
  }
  refuseAllIgnored(tracker);
  const planned = planOrRefuse(() => plan(state.ring, change));
  const users = await liveUsers({ state, credentials }, change);
  const { share, moves } = planned.diff;
  const result = {
    before: planned.before.fingerprint,
    after: planned.after.fingerprint,
    share,
    moves: moves.map((move) => ({ from: move.from ?? null, to: move.to ?? null, share: move.share })),
    users,
  };
  const rows = moves.map((move) => [move.from ?? '-', move.to ?? '-', percent(move.share)]);
  const live = users.map(({ node, moving, of, error }) =>
    moving === null ? `${error}` : `${node}: ${moving} of ${counted(of ?? 0, 'user')}`,
  );
  const text = [
    `${percent(share)} of the key space changes hands`,
    '',
    table(['from', 'to', 'share'], rows),
    '',
    ...live,
  ];
  output.result(result, text.join('\n'));
  return 0;
}

/** How many of the users that each node holds would move. */
async function liveUsers(
  { state, credentials }: Pick<OpenRing, 'state' | 'credentials'>,
  change: RingChange,
) {
  const parameters = new URLSearchParams();
  if (change.add?.length)
    parameters.set(
      'add',
      change.add.map(({ id, weight }) => (weight === undefined ? id : `${id}:${weight}`)).join(','),
    );
  if (change.remove?.length) parameters.set('remove', change.remove.join(','));
  const nodes = nodesOf(state, credentials);
  return Promise.all(
    nodes.map(async (node) => {
      try {
        const said = (await node.get(`/v1/ring/plan?${parameters}`)) as { users: number; moving: number };
        return { node: node.id, moving: said.moving, of: said.users };
      } catch (thrown) {
        return { node: node.id, moving: null, of: null, error: (thrown as Error).message };
      }
    }),
  );
}

function planOrRefuse(make: () => RingPlan): RingPlan {
  try {
    return make();
  } catch (thrown) {
    if (thrown instanceof RangeError)
      throw new PinwheelError('bad-option', thrown.message, { cause: thrown });
    throw thrown;
  }
}
