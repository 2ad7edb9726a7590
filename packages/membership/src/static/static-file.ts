import { readFile } from 'node:fs/promises';
import { PinwheelError } from '@pinwheel/protocol';
import { z } from 'zod';
import { isUnread, reasonOf } from '../log/reason-of.js';
import { firstFault, memberFields, withoutUndefined } from '../member/member-schema.js';

/** A member as an operator writes it down. */
export interface StaticMember {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly wsPort?: number;
  /** Default 1. */
  readonly weight?: number;
  /** Default false; a node that says itself that it is draining counts as draining too. */
  readonly draining?: boolean;
}

const list = z.array(
  z.strictObject({
    ...memberFields,
    weight: memberFields.weight.optional(),
    draining: memberFields.draining.optional(),
  }),
);
const file = z.strictObject({ members: list });

/** @throws PinwheelError `bad-option` that names the member, the field and the value. */
export function parseStaticMembers(members: unknown): readonly StaticMember[] {
  const parsed = list.safeParse(members);
  if (!parsed.success) throw new PinwheelError('bad-option', `members${firstFault(parsed.error)}`);
  return unique(parsed.data.map(withoutUndefined));
}

/**
 * Reads `{"members":[{"id","address","port","wsPort"?,"weight"?,"draining"?}]}`.
 *
 * @throws PinwheelError `membership` that names the file and what is wrong with it.
 */
export async function readStaticFile(path: string): Promise<readonly StaticMember[]> {
  try {
    const parsed = file.safeParse(JSON.parse(await readFile(path, 'utf8')));
    if (!parsed.success) throw new TypeError(firstFault(parsed.error));
    return unique(parsed.data.members.map(withoutUndefined));
  } catch (cause) {
    const fault = isUnread(cause) ? `cannot read ${path}` : `${path} is not a list of members`;
    throw new PinwheelError('membership', `${fault}: ${reasonOf(cause)}`, { cause });
  }
}

function unique(members: readonly StaticMember[]): readonly StaticMember[] {
  const ids = new Set<string>();
  for (const { id } of members) {
    if (ids.has(id))
      throw new PinwheelError('bad-option', `member id ${id} is in the list twice; ids must be unique`);
    ids.add(id);
  }
  return members;
}
