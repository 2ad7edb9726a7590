import type { Contender } from '../result.js';

/** As it is called in a sentence. */
export const contenderName: Readonly<Record<Contender, string>> = {
  ring: 'the ring',
  registry: 'the registry',
  broadcast: 'broadcast',
  'broadcast-unbatched': 'unbatched broadcast',
};
