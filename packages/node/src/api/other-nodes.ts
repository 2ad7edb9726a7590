import type { Holder } from '@pinwheel/holder';
import type { Member } from '@pinwheel/membership';

/** Every node but this one; the draining ones still hold users. */
export function otherNodes({ ownership }: Holder): readonly Member[] {
  return [...ownership.state.members.values()].filter(
    ({ kind, id }) => kind === 'node' && id !== ownership.self,
  );
}
