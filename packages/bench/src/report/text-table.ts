import Table from 'cli-table3';
import type { ReportTable } from './report-table.js';

const labelWidth = 22;
const cellWidth = 19;
const noLine = [
  'top',
  'top-mid',
  'top-left',
  'top-right',
  'bottom',
  'bottom-mid',
  'bottom-left',
  'bottom-right',
];
const noSide = ['left', 'left-mid', 'right', 'right-mid'];

/** Lines between the columns and below the head, no colour; 110 characters wide at most, with four columns. */
export function textTable({ title, columns, groups }: ReportTable): string {
  const bare = Object.fromEntries([...noLine, ...noSide].map((part) => [part, '']));
  const made = new Table({
    head: ['', ...columns],
    chars: { ...bare, mid: '', 'mid-mid': '', middle: ' │ ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colWidths: [labelWidth, ...columns.map(() => cellWidth)],
    colAligns: ['left', ...columns.map(() => 'right' as const)],
  });
  for (const group of groups) {
    made.push([group.title, ...columns.map(() => '')]);
    for (const { label, cells } of group.rows) made.push([`  ${label}`, ...cells]);
  }
  const [head, ...lines] = made.toString().split('\n');
  const rule = `${'─'.repeat(labelWidth + 1)}${`┼${'─'.repeat(cellWidth + 2)}`.repeat(columns.length)}`;
  return [title, '', head!, rule.slice(0, head!.length), ...lines].map((line) => line.trimEnd()).join('\n');
}
