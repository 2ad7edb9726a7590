import { type Comparison, type Contender, contenders, type Phase, type Run } from '../result.js';
import { type Figure, figureOf } from './figure.js';
import { figureText } from './figure-text.js';
import { nodeCountsOf } from './summary.js';

/** What the ring's CPU per delivery is beside another contender's, round by round: below 1, the ring costs less. */
export interface Ratio {
  readonly other: Contender;
  readonly nodes: number;
  readonly saturation: Figure | undefined;
  readonly steady: Figure | undefined;
}

/** Only rounds that both of them ran are divided: they saw the same machine at nearly the same time. */
export function ratiosOf({ runs }: Comparison): readonly Ratio[] {
  return nodeCountsOf(runs).flatMap((nodes) =>
    contenders.flatMap((other) => {
      if (other === 'ring') return [];
      const saturation = ratio(runs, other, nodes, 'saturation');
      const steady = ratio(runs, other, nodes, 'steady');
      return saturation === undefined && steady === undefined ? [] : [{ other, nodes, saturation, steady }];
    }),
  );
}

export function ratioLine({ other, nodes, saturation, steady }: Ratio): string {
  const who = `ratio  ${nodes} ${nodes === 1 ? 'node' : 'nodes'}  CPU of ring / ${other}`;
  return `${who}: ${figureText(saturation)} saturated, ${figureText(steady)} at the fixed rate`;
}

function ratio(runs: readonly Run[], other: Contender, nodes: number, phase: Phase): Figure | undefined {
  const of = (strategy: Contender) =>
    runs.filter((run) => run.strategy === strategy && run.nodes === nodes && run.phase === phase);
  const others = of(other);
  return figureOf(
    of('ring').map((run) => {
      const own = run.cpuMicrosPerDelivery?.total;
      const beside = others.find(({ round }) => round === run.round)?.cpuMicrosPerDelivery?.total;
      return own === undefined || beside === undefined || beside === 0 ? undefined : own / beside;
    }),
  );
}
