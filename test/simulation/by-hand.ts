import t from 'tap';
import type { Setup } from './setup.js';
import { Stage } from './stage.js';
import { protections } from './without.js';

const notSo = 'it is not so that';
export const three: Partial<Setup> = { nodes: ['n1', 'n2', 'n3'] };

/** Runs a schedule as it is, and once more without a protection: that the schedule is about it, shows in what breaks. */
export function schedule(
  name: string,
  run: (stage: Stage, check: (isSo: boolean, what: string) => void) => Promise<void>,
  options: {
    readonly setup?: Partial<Setup>;
    readonly bites?: string;
  } = {},
): void {
  const go = async (): Promise<readonly string[]> => {
    const stage = new Stage(options.setup ?? three);
    const wrong: string[] = [];
    await run(stage, (isSo, what) => {
      if (!isSo) wrong.push(`${notSo} ${what}`);
    });
    return [...wrong, ...(await stage.end())];
  };
  t.test(name, async (t) => {
    t.same(await go(), []);
    if (options.bites === undefined) return;
    const { breaks, takeAway } = protections[options.bites]!;
    t.teardown(takeAway());
    const wrong = await go();
    t.not(wrong.length, 0, `without it: ${options.bites}`);
    // what follows the first is a world that stands still
    const first = wrong.find((one) => !one.startsWith(notSo));
    const isOneOfThem = first === undefined || breaks.some((invariant) => first.startsWith(`${invariant} `));
    t.ok(isOneOfThem, `one of ${breaks} is broken: ${first}`);
  });
}
