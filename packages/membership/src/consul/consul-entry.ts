import { isMemberId } from '@pinwheel/ring';
import { z } from 'zod';
import type { AddressRule } from '../member/address-rule.js';
import type { Member, MembersView } from '../member/contract.js';
import { faultOf } from '../member/member-fields.js';

/** Keys of a registration's `Meta`. */
export const metaKeys = {
  wsPort: 'pinwheel-ws-port',
  weight: 'pinwheel-weight',
  incarnation: 'pinwheel-incarnation',
  draining: 'pinwheel-draining',
  settingsDigest: 'pinwheel-settings',
  settingsText: 'pinwheel-settings-text',
} as const;

export interface Ignored {
  readonly id: string;
  readonly reason: string;
}

const healthEntry = z.object({
  Node: z.object({ Node: z.string().optional(), Address: z.string().optional() }),
  Service: z.object({
    ID: z.string(),
    Address: z.string().nullish(),
    Port: z.number(),
    Meta: z.record(z.string(), z.string()).nullish(),
    CreateIndex: z.number().optional(),
  }),
});

type HealthEntry = z.infer<typeof healthEntry>;

const noService: Ignored = { id: '', reason: 'the entry is not one of a service' };

/**
 * The member that one entry of Consul's `health/service` describes, or why it is left out. Without an incarnation
 * it is a server that knows nothing of Pinwheel, and its port is the one for WebSockets.
 */
export function memberFromEntry(
  entry: unknown,
  rule: AddressRule,
): { readonly member: Member } | { readonly ignored: Ignored } {
  const parsed = healthEntry.safeParse(entry);
  return parsed.success ? memberFrom(parsed.data, rule) : { ignored: noService };
}

function memberFrom(
  { Node, Service }: HealthEntry,
  rule: AddressRule,
): { readonly member: Member } | { readonly ignored: Ignored } {
  const meta = Service.Meta ?? {};
  const address = Service.Address || Node.Address || '';
  const weight = numberIn(meta[metaKeys.weight]) ?? 1;
  const wsPort = numberIn(meta[metaKeys.wsPort]);
  const incarnation = meta[metaKeys.incarnation] || undefined;
  const reason =
    faultOf.id(Service.ID) ??
    faultOf.address(address) ??
    faultOf.port(Service.Port) ??
    (Number.isNaN(weight) ? notANumber(metaKeys.weight, meta) : faultOf.weight(weight)) ??
    (wsPort === undefined ? undefined : faultOf.port(wsPort, metaKeys.wsPort)) ??
    (incarnation === undefined ? undefined : faultOf.incarnation(incarnation)) ??
    rule.faultOf({ address, port: Service.Port, ...(wsPort === undefined ? {} : { wsPort }) });
  if (reason !== undefined) return { ignored: { id: shownId(Service.ID), reason } };
  const settingsDigest = short(meta[metaKeys.settingsDigest], 64);
  const settingsText = short(meta[metaKeys.settingsText], 512);
  return {
    member: Object.freeze({
      id: Service.ID,
      address,
      port: Service.Port,
      ...(wsPort === undefined ? {} : { wsPort }),
      weight,
      draining: meta[metaKeys.draining] === 'true',
      kind: incarnation === undefined ? 'foreign' : 'node',
      ...(incarnation === undefined ? {} : { incarnation }),
      ...(incarnation === undefined || settingsDigest === undefined ? {} : { settingsDigest }),
      ...(incarnation === undefined || settingsText === undefined ? {} : { settingsText }),
    }),
  };
}

/**
 * The members of a whole answer. An id that is registered with two Consul agents counts once: the registration
 * that is newer, as every process sees it alike.
 */
export function membersFromEntries(
  entries: readonly unknown[],
  rule: AddressRule,
): {
  readonly members: readonly Member[];
  readonly ignored: MembersView['ignored'];
} {
  const members = new Map<string, Member>();
  const ignored: Ignored[] = [];
  const services: HealthEntry[] = [];
  for (const entry of entries) {
    const parsed = healthEntry.safeParse(entry);
    if (parsed.success) services.push(parsed.data);
    else ignored.push(noService);
  }
  for (const service of services.sort(newestFirst)) {
    const read = memberFrom(service, rule);
    if ('ignored' in read) {
      ignored.push(read.ignored);
    } else if (members.has(read.member.id)) {
      const { id, address, port } = read.member;
      ignored.push({ id, reason: `id is registered twice; ${address}:${port} is the older one` });
    } else {
      members.set(read.member.id, read.member);
    }
  }
  return { members: [...members.values()], ignored };
}

function newestFirst(a: HealthEntry, b: HealthEntry): number {
  const newer = (b.Service.CreateIndex ?? 0) - (a.Service.CreateIndex ?? 0);
  if (newer !== 0) return newer;
  const [nameA, nameB] = [nameOf(a), nameOf(b)];
  return nameA < nameB ? -1 : nameA > nameB ? 1 : 0;
}

function nameOf({ Node, Service }: HealthEntry): string {
  return `${Node.Node ?? ''} ${Service.Address ?? ''} ${Service.Port}`;
}

/** Digits with a fraction at most; `NaN` for anything else, so that `0x10` or ` 1` is not taken for a number. */
function numberIn(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  return /^[0-9]{1,9}(\.[0-9]{1,9})?$/.test(text) ? Number(text) : Number.NaN;
}

function notANumber(key: string, meta: Readonly<Record<string, string>>): string {
  return `${key} is ${JSON.stringify(meta[key]).slice(0, 80)}; it must be a number`;
}

function short(text: string | undefined, longest: number): string | undefined {
  return text !== undefined && text !== '' && text.length <= longest ? text : undefined;
}

function shownId(id: string): string {
  return isMemberId(id) ? id : JSON.stringify(id).slice(0, 80);
}
