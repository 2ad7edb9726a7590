import { compareWithRuns, type ModelCheck } from '../model/compare-with-runs.js';
import type { Comparison } from '../result.js';
import { notMeasured } from './figure-text.js';
import { numberText } from './number-text.js';
import type { ReportTable, Row } from './report-table.js';
import { contendersOf, nodeCountsOf } from './summary.js';

/** What the model says of the traffic, beside what the saturated runs measured; `undefined` when they did not. */
export function modelTable(comparison: Comparison): ReportTable | undefined {
  const checks = compareWithRuns(comparison).filter(({ phase }) => phase === 'saturation');
  if (checks.length === 0) return undefined;
  const columns = contendersOf(comparison.runs);
  const row = (nodes: number, label: string, figure: ModelCheck['figure']): Row => ({
    label,
    cells: columns.map((strategy) => {
      const found = checks.find(
        (check) => check.strategy === strategy && check.nodes === nodes && check.figure === figure,
      );
      return found === undefined ? notMeasured : checkText(found);
    }),
  });
  return {
    title: 'Per delivery, saturated: model / measured, and by how much the model is off',
    columns,
    groups: nodeCountsOf(checks).map((nodes) => ({
      title: `${nodes} ${nodes === 1 ? 'node' : 'nodes'}`,
      rows: [row(nodes, 'messages', 'messages'), row(nodes, 'bytes', 'bytes')],
    })),
  };
}

function checkText({ model, measured, relativeError }: ModelCheck): string {
  const percent = relativeError * 100;
  const error =
    Math.abs(percent) < 0.05 ? '0 %' : `${percent > 0 ? '+' : '−'}${Math.abs(percent).toFixed(1)} %`;
  return `${numberText(model)} / ${numberText(measured)}, ${error}`;
}
