import type { Contender } from '../result.js';
import { contenderStyle } from './contender-style.js';
import { escapeHtml } from './escape-html.js';

/** How the mark of each contender looks, about the middle of a swatch of 44 by 14. */
const marks = {
  circle: '<circle cx="22" cy="7" r="4"/>',
  square: '<rect x="18.5" y="3.5" width="7" height="7"/>',
  triangle: '<path d="M22 2l5 8.5h-10z"/>',
  diamond2: '<path d="M22 2l5 5-5 5-5-5z"/>',
} as const;

/** Which line is whose: colour, dash and mark. */
export function htmlLegend(contenders: readonly Contender[]): string {
  const items = contenders.map((contender) => {
    const { color, dash, symbol } = contenderStyle[contender];
    const line = `<line x1="0" x2="44" y1="7" y2="7" stroke="${color}" stroke-width="2" stroke-dasharray="${dash}"/>`;
    const swatch = `<svg width="44" height="14" aria-hidden="true" fill="${color}">${line}${marks[symbol]}</svg>`;
    return `<li>${swatch}${escapeHtml(contender)}</li>`;
  });
  return `<ul class="legend">${items.join('')}</ul>`;
}
