import type { Reading } from '../report/reading.js';
import { figureIn, summarize } from '../report/summary.js';
import type { Comparison, Contender } from '../result.js';
import { copiesOf } from './copies.js';
import type { Costs } from './costs.js';
import { costsOf } from './costs-of.js';

/** The model beside what was measured, per message delivered. */
export interface ModelCheck {
  readonly strategy: Contender;
  readonly nodes: number;
  readonly phase: 'saturation' | 'steady';
  readonly figure: 'messages' | 'bytes';
  readonly model: number;
  /** Median of the rounds. */
  readonly measured: number;
  /** (model - measured) / measured; 0 is exact, above 0 the model says too much. */
  readonly relativeError: number;
}

/**
 * How far the model's messages and bytes per delivery are from those that were measured. The number of copies is
 * predicted; for the bytes, what a copy has beyond its payload is one figure per strategy taken from the same runs, so
 * that their error says whether one figure is enough.
 *
 * @param costs default: as the comparison has them.
 */
export function compareWithRuns(
  comparison: Comparison,
  { strategies }: Costs = costsOf(comparison),
): readonly ModelCheck[] {
  const summaries = summarize(comparison.runs);
  return summaries.flatMap(({ strategy, nodes, phase }) => {
    if (phase !== 'saturation' && phase !== 'steady') return [];
    const copies = copiesOf(strategy, nodes);
    const bytes = copies * (comparison.conditions.payloadBytes + strategies[strategy].overheadBytes);
    const check = (figure: ModelCheck['figure'], name: Reading, model: number): readonly ModelCheck[] => {
      const measured = figureIn(summaries, { strategy, nodes, phase }, name)?.median;
      if (measured === undefined || measured === 0) return [];
      return [
        { strategy, nodes, phase, figure, model, measured, relativeError: (model - measured) / measured },
      ];
    };
    return [
      ...check('messages', 'messagesPerDelivery', copies),
      ...check('bytes', 'bytesPerDelivery', bytes),
    ];
  });
}
