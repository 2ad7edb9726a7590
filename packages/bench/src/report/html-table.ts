import { escapeHtml } from './escape-html.js';
import type { ReportTable, Row } from './report-table.js';

/** Scrolls by itself where the page is narrow; the labels stay in sight. */
export function htmlTable({ title, columns, groups }: ReportTable): string {
  const head = columns.map((column) => `<th scope="col">${escapeHtml(column)}</th>`).join('');
  const span = columns.length + 1;
  const bodies = groups.map(
    (group) =>
      `<tbody><tr><th scope="rowgroup" colspan="${span}">${escapeHtml(group.title)}</th></tr>` +
      `${group.rows.map(htmlRow).join('')}</tbody>`,
  );
  return (
    `<div class="scroll" role="region" tabindex="0" aria-label="${escapeHtml(title)}">` +
    `<table><thead><tr><th scope="col"><span aria-hidden="true"></span></th>${head}</tr></thead>${bodies.join('')}</table></div>`
  );
}

function htmlRow({ label, cells }: Row): string {
  return `<tr><th scope="row">${escapeHtml(label)}</th>${cells.map(htmlCell).join('')}</tr>`;
}

/** The spread stands back behind the median. */
function htmlCell(cell: string): string {
  const [median, spread] = cell.split(' (');
  const text = escapeHtml(median!);
  return spread === undefined
    ? `<td>${text}</td>`
    : `<td>${text} <small>(${escapeHtml(spread.replace('-', '–'))}</small></td>`;
}
