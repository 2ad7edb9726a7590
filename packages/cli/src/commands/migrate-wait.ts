import { performance } from 'node:perf_hooks';
import type { RingAnswer } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';
import type { Command, Invocation } from '../command.js';
import { onChange } from '../output/on-change.js';
import { listed } from '../output/output.js';
import { askEach, hasFailed } from '../service/ask-each.js';
import { describeIgnored } from '../service/ignored-members.js';
import { type Migration, moversOf } from '../service/migrations.js';
import type { AdminTarget } from '../service/nodes-of.js';
import { type OpenRing, ringOptions, withRing } from '../service/open-ring.js';
import { options } from '../settings/options.js';
import type { Settings } from '../settings/settings.js';

const pollMs = 500;
/** A process that is being restarted cannot be asked for a moment; one that stands still is asked twice in this time. */
const patienceMs = 5000;
const defaultTimeoutMs = 120_000;

export const migrateWaitCommand: Command = {
  name: 'migrate wait',
  summary: 'waits until all that are asked have the same ring and nobody has to move',
  options: [...ringOptions, options.edge, options.timeoutMs, options.json],
  run: (invocation) => withRing(invocation.settings, (ring) => untilDone(invocation, ring)),
};

type Heard = Migration & { readonly id: string; readonly fingerprint: string };

/** What there was to hear at one moment. */
interface Look {
  readonly heard: readonly Heard[];
  /** Why somebody was not asked, or has not answered. */
  readonly unheard: readonly string[];
}

async function untilDone({ settings, output }: Invocation, ring: OpenRing): Promise<number> {
  const start = performance.now();
  const timeoutMs = settings.number(options.timeoutMs) ?? defaultTimeoutMs;
  const tell = onChange(output.step);
  let allHeardAt = start;
  for (;;) {
    const { heard, unheard } = await look(settings, ring);
    const why = [...unheard, ...undone(heard, ({ id }) => id)].join('; ');
    const now = performance.now();
    if (why === '') {
      const migrations = heard.map(({ fingerprint, ...migration }) => migration);
      const ids = listed(heard.map(({ id }) => id));
      output.result(
        { migrations, seconds: Math.round(now - start) / 1000 },
        `nobody has to move: asked ${ids}`,
      );
      return 0;
    }
    if (unheard.length === 0) allHeardAt = now;
    if (now - allHeardAt >= patienceMs)
      throw new PinwheelError('unavailable', `not all can be asked: ${why}`);
    if (now - start >= timeoutMs) {
      const last = [...unheard, ...undone(heard, ({ id, waiting }) => `${id} (${waiting})`)].join('; ');
      throw new PinwheelError('deadline', `the moves are not over after ${timeoutMs} ms: ${last}`);
    }
    tell(`waits: ${why}`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

async function look(settings: Settings, ring: OpenRing): Promise<Look> {
  try {
    const movers = moversOf(settings, ring);
    const answers = await askEach(movers.targets, ask);
    const { ignored } = movers;
    return {
      heard: answers.filter((answer): answer is Heard => !hasFailed(answer)),
      unheard: [...answers.filter(hasFailed).map(({ error }) => error), ...describeIgnored(ignored)],
    };
  } catch (thrown) {
    return { heard: [], unheard: [PinwheelError.from(thrown).message] };
  }
}

/** Its ring first: who has to move by that ring is counted afterwards. */
async function ask(target: AdminTarget): Promise<Migration & { readonly fingerprint: string }> {
  const { fingerprint } = (await target.get('/v1/ring')) as RingAnswer;
  return { ...((await target.get('/v1/migrations')) as Migration), fingerprint };
}

/** Without counts it changes as rarely as what it says. */
function undone(heard: readonly Heard[], nameOf: (one: Heard) => string): readonly string[] {
  const namesOf = (paused: boolean): readonly string[] =>
    heard.filter((one) => one.waiting > 0 && one.paused === paused).map(nameOf);
  const [running, paused] = [namesOf(false), namesOf(true)];
  const why: string[] = [];
  // a process that has yet to hear of a change of the ring knows of nobody who has to move because of it
  if (new Set(heard.map(({ fingerprint }) => fingerprint)).size > 1)
    why.push('they do not have the same ring yet');
  if (running.length > 0) why.push(`users have to move at ${listed(running)}`);
  if (paused.length > 0)
    why.push(`users have to move at ${listed(paused)}, where moves are paused: pinwheel migrate resume`);
  return why;
}
