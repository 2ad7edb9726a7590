import type { Figure } from './figure.js';
import { numberText } from './number-text.js';

/** What stands where nothing was measured: 0 would be a result. */
export const notMeasured = '–';

/** `12.1 (11.8-12.9)`, at most 19 characters; without a spread when all rounds read the same, or there is one. */
export function figureText(figure: Figure | undefined): string {
  if (figure === undefined) return notMeasured;
  const [median, least, most] = [figure.median, figure.least, figure.most].map(numberText);
  return least === most ? median! : `${median} (${least}-${most})`;
}
