import type { Comparison } from '../result.js';
import { conditionLines } from './condition-lines.js';
import { changeTables, costTables } from './cost-tables.js';
import { ratioLine, ratiosOf } from './ratio.js';
import { summarize } from './summary.js';
import { textTable } from './text-table.js';
import { warningsOf } from './warnings.js';
import { wrapText } from './wrap-text.js';

/**
 * What a person reads in a terminal, at most 110 characters wide and without colour: the conditions, what a message
 * costs, what a change does, the ring beside each other contender, and what speaks against the figures. With several
 * rounds a figure is `median (least-most)`; `–` was not measured.
 */
export function textReport(comparison: Comparison): string {
  const summaries = summarize(comparison.runs);
  const tables = [...costTables(comparison, summaries), ...changeTables(comparison, summaries)];
  const warnings = warningsOf(comparison, summaries).map((warning) => wrapText(`! ${warning}`));
  const parts = [
    conditionLines(comparison.conditions)
      .map((line) => wrapText(line))
      .join('\n'),
    tables.length === 0 ? 'nothing ran' : legendOf(comparison),
    ...tables.map(textTable),
    ratiosOf(comparison).map(ratioLine).join('\n'),
    warnings.join('\n'),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function legendOf({ conditions }: Comparison): string {
  const one = conditions.rounds === 1;
  return `${one ? 'One round' : 'Median of the rounds (least-most; none when all are equal)'}; – is not measured.`;
}
