import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/** What is used of an SVG element; this package is compiled without the types of a browser. */
interface Drawing {
  readonly outerHTML: string;
  prepend(child: unknown): void;
  setAttribute(name: string, value: string): void;
}

export interface PlotName {
  /** Unique in its page. */
  readonly id: string;
  readonly title: string;
}

/** An SVG as text, to stand in an HTML page; named for those who cannot see it. */
export function drawPlot({ id, title }: PlotName, options: Plot.PlotOptions): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const drawn = Plot.plot({
    document,
    className: 'plot',
    style: { fontSize: '12px' },
    ...options,
  }) as unknown as Drawing;
  const name = document.createElementNS('http://www.w3.org/2000/svg', 'title');
  name.textContent = title;
  name.setAttribute('id', id);
  drawn.prepend(name);
  drawn.setAttribute('role', 'img');
  drawn.setAttribute('aria-labelledby', id);
  drawn.setAttribute('aria-label', title);
  return drawn.outerHTML;
}
