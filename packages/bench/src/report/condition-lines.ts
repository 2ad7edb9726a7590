import type { Conditions } from '../result.js';
import { wholeText } from './number-text.js';

const gigabyte = 2 ** 30;

/** What the figures depend on, in three sentences' worth: when and what, on what machine, under which load. */
export function conditionLines(conditions: Conditions): readonly string[] {
  const { date, pinwheel, node, platform, queue, cpu, cores, memoryBytes, edges } = conditions;
  const { users, payloadBytes, rate, steadySeconds, saturationSeconds, outstanding, rounds, warmUp } =
    conditions;
  const warmed = warmUp === undefined ? [] : [`nodes warmed with ${wholeText(warmUp)} messages each`];
  return [
    [date, `pinwheel ${pinwheel}`, `node ${node}`, queue ?? 'no queue'].join(' · '),
    [
      platform,
      `${counted(cores, 'core')} of ${cpu}`,
      `${(memoryBytes / gigabyte).toFixed(1)} GiB`,
      `${counted(users, 'user')}`,
      edges === 0 ? 'no edges' : counted(edges, 'edge'),
      `payload of ${counted(payloadBytes, 'byte')}`,
    ].join(' · '),
    [
      `fixed rate ${wholeText(rate)} messages/s for ${steadySeconds} s`,
      `saturated for ${saturationSeconds} s with ${wholeText(outstanding)} outstanding`,
      ...warmed,
      counted(rounds, 'round'),
    ].join(' · '),
  ];
}

function counted(count: number, thing: string): string {
  return `${wholeText(count)} ${thing}${count === 1 ? '' : 's'}`;
}
