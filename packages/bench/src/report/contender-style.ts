import type { Contender } from '../result.js';

export interface ContenderStyle {
  /** A CSS variable of the page, which has one colour for light and one for dark. */
  readonly color: string;
  /** As in `stroke-dasharray`. */
  readonly dash: string;
  readonly symbol: 'circle' | 'square' | 'triangle' | 'diamond2';
}

/** Told apart by colour, dash and mark, so that any one of them will do. */
export const contenderStyle: Readonly<Record<Contender, ContenderStyle>> = {
  ring: { color: 'var(--ring)', dash: 'none', symbol: 'circle' },
  registry: { color: 'var(--registry)', dash: '7 3', symbol: 'square' },
  broadcast: { color: 'var(--broadcast)', dash: '2 3', symbol: 'triangle' },
  'broadcast-unbatched': { color: 'var(--broadcast-unbatched)', dash: '9 3 2 3', symbol: 'diamond2' },
};
