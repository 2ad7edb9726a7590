import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fingerprintText } from '../packages/ring/src/fingerprint.js';
import {
  buildRing,
  describeRingSettings,
  type Ring,
  type RingMember,
  type RingSettings,
  ringSettings,
  ringSettingsDigest,
} from '../packages/ring/src/index.js';
import { keyHash } from '../packages/ring/src/key-hash.js';
import { virtualNodesOf } from '../packages/ring/src/ring-member.js';

/** A member as membership has it: one that is draining is in nobody's next ring. */
interface VectorMember extends RingMember {
  readonly draining?: true;
}

interface Situation {
  readonly name: string;
  readonly settings?: Partial<RingSettings>;
  readonly members: readonly VectorMember[];
}

export interface Vectors {
  readonly about: string;
  readonly rings: readonly {
    readonly name: string;
    readonly settings: RingSettings;
    readonly settingsText: string;
    readonly settingsDigest: string;
    readonly members: readonly VectorMember[];
    readonly fingerprintText: string;
    readonly fingerprint: string;
    readonly points: readonly { readonly label: string; readonly point: number; readonly id: string }[];
    readonly keys: readonly { readonly key: string; readonly hash: number; readonly owner: string }[];
  }[];
}

const nodes = (count: number): readonly RingMember[] =>
  Array.from({ length: count }, (_, i) => ({ id: `node-${i + 1}` }));

const situations: readonly Situation[] = [
  { name: 'one member', members: nodes(1) },
  { name: 'three members', members: nodes(3) },
  { name: 'ten members, in no order', members: nodes(10).toReversed() },
  {
    name: 'weights: 0.29 × 50 is 14.499999999999998 in floating point, 0.01 × 50 rounds up to 1',
    settings: { virtualNodes: 50 },
    members: [
      { id: 'tiny', weight: 0.01 },
      { id: 'small', weight: 0.29 },
      { id: 'half', weight: 0.5 },
      { id: 'odd', weight: 0.49 },
      { id: 'one' },
      { id: 'double', weight: 2 },
      { id: 'large', weight: 7.25 },
    ],
  },
  {
    name: 'fewer points than one: every member has at least one',
    settings: { virtualNodes: 1 },
    members: [
      { id: 'a', weight: 0.01 },
      { id: 'b', weight: 1.49 },
      { id: 'c', weight: 2.5 },
    ],
  },
  { name: 'md5', settings: { hash: 'md5', virtualNodes: 160 }, members: nodes(3) },
  {
    name: 'ids that look like something else',
    settings: { virtualNodes: 64 },
    members: [
      { id: '127.0.0.1:80' },
      { id: '::1' },
      { id: 'a:1' },
      { id: '1' },
      { id: '10' },
      { id: '9' },
      { id: 'B' },
      { id: 'a' },
      { id: 'node-1' },
      { id: 'node-1-1' },
      { id: 'constructor' },
    ],
  },
  {
    name: 'a draining member does not count',
    members: [{ id: 'node-1' }, { id: 'node-2', draining: true }, { id: 'node-3' }],
  },
  tie(),
];

const keys: readonly string[] = [
  '__proto__',
  'constructor',
  'toString',
  ' ',
  '  ',
  '\t',
  '\n',
  '\u0000',
  '\u00a0',
  '\u200b',
  '0',
  'a',
  'ab',
  'abc',
  'abcd',
  'abcdefgh',
  'fifteen-letters',
  'sixteen--letters',
  'seventeen-letters',
  'thirty-one--letters-31-letters-',
  'thirty-two--letters-32--letters-',
  'alice@example.org',
  'node-1-0',
  '2f1c8d1e-3a54-4d0b-9a52-6b1f0c6f7e11',
  'k'.repeat(255),
  'k'.repeat(256),
  'é'.repeat(128),
  '🎡'.repeat(64),
  'é',
  'e\u0301',
  'ß',
  'Straße',
  '日本語',
  'עברית',
  '🎡',
  '👩‍👩‍👧',
  '\uffff',
  ...Array.from({ length: 12 }, (_, i) => `user-${i + 1}`),
];

/** Keys of `<prefix>-0`, `<prefix>-1`, … until `count` of them are as wanted. */
function search(prefix: string, count: number, wanted: (key: string) => boolean): readonly string[] {
  const found: string[] = [];
  for (let i = 0; found.length < count; i++) if (wanted(`${prefix}-${i}`)) found.push(`${prefix}-${i}`);
  return found;
}

function hashOf(key: string, settings: RingSettings): number {
  return keyHash(settings.hash)(key) >>> 0;
}

/** The points of all members, ascending, by their labels. */
function pointsOf(members: readonly RingMember[], settings: RingSettings) {
  return members
    .flatMap((member) =>
      Array.from({ length: virtualNodesOf(member, settings.virtualNodes) }, (_, i) => {
        const label = `${member.id}-${i}`;
        return { label, point: hashOf(label, settings), id: member.id };
      }),
    )
    .sort((a, b) => a.point - b.point);
}

/** The first two of `tie-0`, `tie-1`, … that have a point in common. */
function tie(): Situation {
  const settings = ringSettings();
  const seen = new Map<number, string>();
  for (let i = 0; ; i++) {
    const id = `tie-${i}`;
    for (const { point } of pointsOf([{ id }], settings)) {
      const other = seen.get(point);
      if (other !== undefined && other !== id) {
        return { name: 'two members with a point in common', members: [{ id }, { id: other }] };
      }
      seen.set(point, id);
    }
  }
}

/** Points worth a look: the first and the last three, those that are equal, and a few of each member. */
function samples(points: ReturnType<typeof pointsOf>): ReturnType<typeof pointsOf> {
  return points.filter(
    ({ label, point }, i) =>
      i < 3 ||
      i >= points.length - 3 ||
      points[i - 1]?.point === point ||
      points[i + 1]?.point === point ||
      /-[01]$/.test(label),
  );
}

function keysFor(ring: Ring, points: ReturnType<typeof pointsOf>): readonly string[] {
  const last = points.at(-1)!.point;
  const beyond = search('beyond', 3, (key) => ring.hashOf(key) > last);
  const at = points.findIndex(({ point }, i) => point === points[i + 1]?.point);
  const before = points[at - 1]?.point;
  if (before === undefined) return [...keys, ...beyond];
  const tied = search('tied', 2, (key) => ring.hashOf(key) > before && ring.hashOf(key) <= points[at]!.point);
  // a point's own label falls exactly on it
  return [...keys, ...beyond, ...tied, points[at]!.label, points[at + 1]!.label];
}

/** The golden vectors: what {@link buildRing} makes of each situation. */
export function makeVectors(): Vectors {
  return {
    about: 'Made by make-vectors.ts and checked by the tests of packages/ring. README.md says how to use it.',
    rings: situations.map(({ name, settings: partial, members }) => {
      const settings = ringSettings(partial);
      const counting = members.filter((member) => !member.draining);
      const ring = buildRing(counting, settings);
      const points = pointsOf(ring.members, settings);
      const counted = ring.members.map((member) => ({
        id: member.id,
        count: virtualNodesOf(member, settings.virtualNodes),
      }));
      return {
        name,
        settings,
        settingsText: describeRingSettings(settings),
        settingsDigest: ringSettingsDigest(settings),
        members,
        fingerprintText: fingerprintText(counted, settings),
        fingerprint: ring.fingerprint,
        points: samples(points),
        keys: keysFor(ring, points).map((key) => ({ key, hash: ring.hashOf(key), owner: ring.owner(key)! })),
      };
    }),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const json = JSON.stringify(makeVectors(), null, 2)
    // one line for each object that holds nothing else, so that the file can be read and compared
    .replaceAll(/\{[^{}[\]]*\}/g, (leaf) => leaf.replaceAll(/\n\s+/g, ' '))
    // what cannot be seen is written as an escape
    .replaceAll(/[\p{C}\p{M}\p{Z}]/gu, (char) => (char === ' ' || char === '\n' ? char : escaped(char)));
  writeFileSync(new URL('./vectors.json', import.meta.url), `${json}\n`);
}

function escaped(text: string): string {
  return text
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
