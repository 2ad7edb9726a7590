import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PinwheelError } from '@pinwheel/protocol';
import { z } from 'zod';
import type { Log } from '../log/log.js';
import { reasonOf } from '../log/reason-of.js';
import type { Member } from '../member/contract.js';
import { firstFault, memberFields, withoutUndefined } from '../member/member-schema.js';

export interface LastGoodMembers {
  readonly members: readonly Member[];
  readonly index: string;
  /** ISO 8601, when it was written. */
  readonly savedAt: string;
}

/** Why there is no ring to start with. */
export interface NoLastGood {
  /** `undefined` where none is kept: nobody has asked for it. */
  readonly fault: string | undefined;
}

export const noneKept: NoLastGood = Object.freeze({ fault: undefined });
const noLastGood: NoLastGood = Object.freeze({ fault: 'no last good ring is on disk' });

const file = z.object({
  version: z.literal(1),
  source: z.string(),
  savedAt: z.iso.datetime(),
  index: z.string().max(32),
  members: z.array(
    z.object({
      ...memberFields,
      kind: z.enum(['node', 'foreign']),
      incarnation: z.string().max(64).optional(),
      settingsDigest: z.string().max(64).optional(),
      settingsText: z.string().max(512).optional(),
    }),
  ),
});

/**
 * The members of the last ring on disk, so that a process can start while the source is away. One process, one
 * file. A write replaces the file as a whole; a file that cannot be read or is another source's is as good as
 * none and is named in the log.
 */
export class LastGoodRing {
  readonly #path: string;
  readonly #source: string;
  readonly #log: Log;
  #next: { readonly members: readonly Member[]; readonly index: string } | undefined;
  #writing: Promise<void> | undefined;

  constructor(path: string, source: string, log: Log) {
    this.#path = path;
    this.#source = source;
    this.#log = log;
  }

  async read(): Promise<LastGoodMembers | NoLastGood> {
    try {
      const parsed = file.safeParse(JSON.parse(await readFile(this.#path, 'utf8')));
      if (!parsed.success) throw new PinwheelError('bad-request', firstFault(parsed.error));
      const { source, savedAt, index, members } = parsed.data;
      if (source !== this.#source) return this.#unusable(`is of another source: ${source}`);
      if (new Set(members.map(({ id }) => id)).size < members.length) {
        throw new PinwheelError('bad-request', 'it has an id twice');
      }
      return { savedAt, index, members: members.map(withoutUndefined) };
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return noLastGood;
      return this.#unusable(`is not usable: ${reasonOf(error)}`);
    }
  }

  #unusable(reason: string): NoLastGood {
    this.#log.warn({ path: this.#path, reason }, 'the last good ring on disk is not usable');
    return { fault: `the last good ring in ${this.#path} ${reason}` };
  }

  /** Does not block and never throws; while a write is under way only the newest list waits. */
  save(members: Iterable<Member>, index: string): void {
    this.#next = { members: [...members], index };
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Resolves when everything that was saved is on disk or has failed. */
  async flushed(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#next !== undefined) {
      const { members, index } = this.#next;
      this.#next = undefined;
      const beside = `${this.#path}.${randomBytes(4).toString('hex')}.tmp`;
      const savedAt = new Date().toISOString();
      try {
        await mkdir(dirname(this.#path), { recursive: true });
        await writeFile(
          beside,
          JSON.stringify({ version: 1, source: this.#source, savedAt, index, members }),
        );
        await rename(beside, this.#path);
      } catch (error) {
        this.#log.warn(
          { path: this.#path, reason: reasonOf(error) },
          'cannot keep the last good ring on disk',
        );
        await rm(beside, { force: true }).catch(() => {});
      }
    }
  }
}
