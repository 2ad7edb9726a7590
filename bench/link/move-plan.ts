import { buildRing } from '@pinwheel/ring';

/** The node that leaves holds exactly `movers`; as they all go to the other one, so many move. */
export interface MovePlan {
  readonly nodes: readonly string[];
  readonly leaving: string;
  readonly staying: string;
  readonly movers: readonly string[];
  readonly stayers: readonly string[];
}

export function movePlan(movers: number, stayers: number): MovePlan {
  const leaving = 'n1';
  const staying = 'n2';
  const nodes = [leaving, staying];
  const ring = buildRing(nodes.map((id) => ({ id })));
  const moving: string[] = [];
  const remaining: string[] = [];
  for (let i = 0; moving.length < movers || remaining.length < stayers; i++) {
    const user = `user-${i}`;
    if (ring.owner(user) !== leaving) {
      if (remaining.length < stayers) remaining.push(user);
    } else if (moving.length < movers) moving.push(user);
  }
  return { nodes, leaving, staying, movers: moving, stayers: remaining };
}
