import { readFileSync, statSync } from 'node:fs';
import { PinwheelError } from '@pinwheel/protocol';
import { type FileLog, FollowedFiles } from './followed-files.js';

/** What a file holds, as it was last read. */
export interface SecretFile<Content> {
  readonly current: Content;
  /** Follows it no more. May be called twice. */
  close(): void;
}

export interface SecretFileKind<Content> {
  /** What is in it, for errors and the log: `keys`. */
  readonly name: string;
  readonly maxBytes: number;
  /** Throws PinwheelError `bad-option` without a character of a secret. */
  readonly parse: (text: string) => Content;
  /** What may be logged of it. */
  readonly idsOf: (content: Content) => readonly string[];
}

/**
 * Reads a file that only its owner may read, and again within about a second when it changes; one that is broken then
 * changes nothing.
 *
 * @throws PinwheelError `bad-option` for one that cannot be used at the start.
 */
export function openSecretFile<Content>(
  path: string,
  kind: SecretFileKind<Content>,
  log?: FileLog,
): SecretFile<Content> {
  const { name } = kind;
  const files = new FollowedFiles([path]);
  let current = readOnce(path, kind);
  files.follow(
    () => {
      current = readOnce(path, kind);
      log?.info({ file: path, ids: kind.idsOf(current) }, `the ${name} were read again`);
    },
    ({ message }) => log?.warn({ file: path }, `${message}; the last ${name} stay good`),
  );
  return {
    get current() {
      return current;
    },
    close: () => files.close(),
  };
}

function readOnce<Content>(path: string, { name, maxBytes, parse }: SecretFileKind<Content>): Content {
  let text: string;
  try {
    const { mode, size } = statSync(path);
    if ((mode & 0o077) !== 0) {
      const said = (mode & 0o777).toString(8);
      throw new PinwheelError(
        'bad-option',
        `${name}: ${path} has mode ${said}; only its owner may read it: chmod 600`,
      );
    }
    if (size > maxBytes) {
      throw new PinwheelError(
        'bad-option',
        `${name}: ${path} has ${size} bytes; it must have at most ${maxBytes}`,
      );
    }
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof PinwheelError) throw cause;
    throw new PinwheelError('bad-option', `${name}: ${path} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
  return parse(text);
}
