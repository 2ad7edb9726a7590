import t from 'tap';
import type { Setup } from './setup.js';
import { Stage } from './stage.js';
import { protections } from './without.js';

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
      if (!isSo) wrong.push(`it is not so that ${what}`);
    });
    return [...wrong, ...(await stage.end())];
  };
  t.test(name, async (t) => {
    t.same(await go(), []);
    if (options.bites === undefined) return;
    const giveBack = protections[options.bites]!.takeAway();
    t.teardown(giveBack);
    t.not((await go()).length, 0, `without it: ${options.bites}`);
  });
}
