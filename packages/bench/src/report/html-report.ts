import type { Comparison } from '../result.js';
import { conclusionOf } from './conclusion.js';
import { conditionLines } from './condition-lines.js';
import { changeTables, costTables } from './cost-tables.js';
import { escapeHtml } from './escape-html.js';
import { htmlFigures } from './html-figures.js';
import { htmlStyle } from './html-style.js';
import { htmlTable } from './html-table.js';
import { modelTable } from './model-table.js';
import { ratioLine, ratiosOf } from './ratio.js';
import type { ReportTable } from './report-table.js';
import { summarize } from './summary.js';
import { warningsOf } from './warnings.js';

const title = 'Pinwheel: strategies compared';

/** A page that stands alone: no script, nothing from the network, for wide and narrow, light and dark screens. */
export function htmlReport(comparison: Comparison): string {
  const summaries = summarize(comparison.runs);
  const conclusion = conclusionOf(comparison, summaries).map(escapeHtml).join(' ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${htmlStyle}</style>
</head>
<body>
<header>
<h1>${title}</h1>
${listOf('conditions', conditionLines(comparison.conditions))}
</header>
<main>
<p class="conclusion">${conclusion}</p>
${listOf('warnings', warningsOf(comparison, summaries))}
${htmlFigures(comparison, summaries).join('\n')}
${tablesOf('What a message costs', costTables(comparison, summaries))}
${tablesOf('What a change does', changeTables(comparison, summaries))}
${ratiosSection(comparison)}
${modelSection(comparison)}
</main>
</body>
</html>
`;
}

function tablesOf(heading: string, tables: readonly ReportTable[]): string {
  if (tables.length === 0) return '';
  const note = 'Median of the rounds, with the least and the most where they differ; – is not measured.';
  const shown = tables.map((table) => `<h3>${escapeHtml(table.title)}</h3>\n${htmlTable(table)}`);
  return `<section><h2>${heading}</h2>\n<p>${note}</p>\n${shown.join('\n')}</section>`;
}

function ratiosSection(comparison: Comparison): string {
  const ratios = ratiosOf(comparison).map((ratio) => ratioLine(ratio).replace('ratio  ', ''));
  if (ratios.length === 0) return '';
  return `<section><h2>The ring beside the others</h2>
<p>CPU per delivery of the ring divided by that of another, round by round: below 1, the ring costs less.</p>
${listOf('ratios', ratios)}</section>`;
}

function modelSection(comparison: Comparison): string {
  const table = modelTable(comparison);
  if (table === undefined) return '';
  return `<section><h2>The model beside the runs</h2>
<p>What <code>pinwheel bench model</code> computes for more machines, held against what was measured here.
Copies are predicted; what a copy has beyond its payload is one figure per contender, from these runs.</p>
${htmlTable(table)}</section>`;
}

function listOf(name: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  return `<ul class="${name}">${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ul>`;
}
