import type { Contender } from '../result.js';
import { escapeHtml } from './escape-html.js';
import { htmlLegend } from './html-legend.js';

export interface HtmlFigure {
  readonly title: string;
  /** What it shows, and what it does not. */
  readonly caption: string;
  /** SVG, as it is to stand in the page. */
  readonly plots: readonly { readonly title: string; readonly svg: string }[];
  /** Who is in the legend; nobody where the plots name their lines themselves. */
  readonly legend: readonly Contender[];
  readonly small?: boolean;
}

/** Plots that belong together under one heading, with one legend and one caption; nothing when there is no plot. */
export function htmlFigure({ title, caption, plots, legend, small = false }: HtmlFigure): string {
  if (plots.length === 0) return '';
  const drawn = plots.map((plot) => `<div><h3>${escapeHtml(plot.title)}</h3>${plot.svg}</div>`);
  return [
    `<section><h2>${escapeHtml(title)}</h2><figure>`,
    legend.length === 0 ? '' : htmlLegend(legend),
    `<div class="plots${small ? ' small' : ''}">${drawn.join('')}</div>`,
    `<figcaption>${escapeHtml(caption)}</figcaption></figure></section>`,
  ].join('\n');
}
