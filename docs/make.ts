// Writes the tables of the documents from the code: `npm run docs`. With --check it only compares, and exits with 1.
import { readFileSync, writeFileSync } from 'node:fs';
import { type Comparison, highlights, readComparison, textReport } from '@pinwheel/bench';
import { allCommands, type Command } from '@pinwheel/cli';
import { edgeMetrics, linkMetrics, tunnelMetrics } from '@pinwheel/edge';
import { ringMetrics } from '@pinwheel/membership';
import { eventLoopDelayMetric, type MetricDefinition } from '@pinwheel/metrics';
import { nodeMetrics } from '@pinwheel/node';
import { closeCodes, closeReasonOf, errorCodes } from '@pinwheel/protocol';
import { senderMetrics } from '@pinwheel/sender';
import { certificateMetrics } from '@pinwheel/trust';

const carriesDelay: ReadonlySet<string> = new Set(['moved', 'owner-lost', 'unavailable']);

const commands = await allCommands();

const tables: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
  'choosing.md': { highlights: highlightTable, comparison: comparisonReport },
  'close-codes.md': { 'close-codes': closeCodeTable },
  'http-api.md': { errors: errorTable },
  'metrics.md': { metrics: metricTables },
  'options.md': { options: optionTables },
};

let stale = 0;
for (const [file, ofFile] of Object.entries(tables)) {
  const url = new URL(file, import.meta.url);
  const before = readFileSync(url, 'utf8');
  const after = Object.entries(ofFile).reduce((text, [name, make]) => replace(text, name, make()), before);
  if (after === before) continue;
  if (process.argv.includes('--check')) {
    stale++;
    console.error(`docs/${file} does not match the code; run: npm run docs`);
  } else {
    writeFileSync(url, after);
  }
}
process.exitCode = stale === 0 ? 0 : 1;

function replace(text: string, name: string, table: string): string {
  const begin = `<!-- table: ${name} -->\n`;
  const end = '<!-- end -->';
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from === -1 || to === -1) throw new Error(`there is no place for the table ${name}`);
  return `${text.slice(0, from + begin.length)}\n${table}\n\n${text.slice(to)}`;
}

function measuredComparison(): Comparison {
  const measured = new URL('measured/comparison.json', import.meta.url);
  return readComparison(JSON.parse(readFileSync(measured, 'utf8')));
}

function highlightTable(): string {
  const [head = [], ...rows] = highlights(measuredComparison());
  return table(head, rows);
}

function comparisonReport(): string {
  return `\`\`\`text\n${textReport(measuredComparison())}\n\`\`\``;
}

function closeCodeTable(): string {
  const rows = Object.values(closeCodes).map(({ code, name, reason, reconnect }) => {
    const said = carriesDelay.has(name) ? closeReasonOf(0).replace('0', 'n') : reason;
    return [String(code), name, `\`${said}\``, reconnect ? 'yes' : 'no'];
  });
  return table(['code', 'name', 'reason', 'connect again'], rows);
}

function errorTable(): string {
  return table(
    ['code', 'status'],
    Object.entries(errorCodes).map(([code, status]) => [`\`${code}\``, String(status)]),
  );
}

function metricTables(): string {
  const groups: readonly (readonly [string, readonly MetricDefinition[]])[] = [
    ['Every process', [eventLoopDelayMetric]],
    ['The ring: nodes and edges', Object.values(ringMetrics)],
    ['Nodes and edges with TLS', Object.values(certificateMetrics)],
    ['Nodes', Object.values(nodeMetrics)],
    ['Edges', Object.values(edgeMetrics)],
    ['Edges with links', Object.values(linkMetrics)],
    ['Edges with tunnels', Object.values(tunnelMetrics)],
    ['Senders', Object.values(senderMetrics)],
  ];
  return groups.map(([title, metrics]) => `### ${title}\n\n${metricTable(metrics)}`).join('\n\n');
}

function metricTable(metrics: readonly MetricDefinition[]): string {
  return table(
    ['name', 'type', 'labels', 'meaning'],
    metrics.map(({ name, type, labels, help }) => [`\`${name}\``, type, labelsOf(labels), help]),
  );
}

function labelsOf(labels: MetricDefinition['labels']): string {
  return Object.entries(labels)
    .map(([name, values]) => `\`${name}\`: ${values.join(', ')}`)
    .join('; ');
}

function optionTables(): string {
  return commands
    .map(({ name, words, summary, options }) => {
      const rows = options.map((option) => [
        `\`--${option.name}\``,
        boundsOf(option),
        option.help,
        option.fallback ?? '',
      ]);
      const head = `## \`pinwheel ${[name, ...(words ?? [])].join(' ')}\`\n\n${summary}\n\n`;
      return head + table(['option', 'value', 'meaning', 'default'], rows);
    })
    .join('\n\n');
}

function boundsOf({ kind }: Command['options'][number]): string {
  switch (kind.type) {
    case 'text':
    case 'texts':
      return `${kind.value}${kind.type === 'texts' ? ', several times' : ''}`;
    case 'url':
      return kind.schemes.join(' or ');
    case 'urls':
      return `${kind.schemes.join(' or ')}, several times`;
    case 'choice':
      return kind.choices.join(' or ');
    case 'flag':
      return '';
    default:
      return `${kind.least}–${kind.most}`;
  }
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}
