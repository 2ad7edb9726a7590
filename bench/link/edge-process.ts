import { createEdge, type EdgeOptions } from '@pinwheel/edge';
import { staticMembership } from '@pinwheel/membership';
import { collectGarbage } from '../kit/collect-garbage.js';

export interface EdgeAnswer {
  readonly port: number;
}

const [id, upstream, path, pollMs] = process.argv.slice(2);
const edge = await createEdge({
  id: id!,
  upstream: upstream as NonNullable<EdgeOptions['upstream']>,
  membership: staticMembership(path!, { pollMs: Number(pollMs) }),
});

process.on('message', async (question: 'port' | 'collect') => {
  if (question === 'collect') await collectGarbage();
  process.send?.({ port: edge.port } satisfies EdgeAnswer);
});
process.once('disconnect', () => process.exit());
process.send?.('started');
