import { limitNames } from '@pinwheel/server';

/** Every bound that a client of an edge can reach, as it is counted. */
export const edgeLimitNames = [...limitNames, 'head-time', 'head-size'] as const;
export type EdgeLimitName = (typeof edgeLimitNames)[number];
export type EdgeLimitCounters = Record<EdgeLimitName, number>;
