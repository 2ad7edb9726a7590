import { readFileSync, statSync } from 'node:fs';
import { PinwheelError } from '@pinwheel/protocol';
import { FollowedFiles } from './followed-files.js';
import { KeyRing } from './key-ring.js';
import type { KeySource } from './key-source.js';

/** Where it is said that the file was read again, or cannot be. */
export interface KeyFileLog {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
}

/** Keys that follow a file. */
export interface KeyFile extends KeySource {
  /** Follows it no more. May be called twice. */
  close(): void;
}

const maxBytes = 65_536;

/**
 * Reads keys from a file that only its owner may read, and again within about a second when it changes; one that is
 * broken then changes nothing.
 *
 * @throws PinwheelError `bad-option` for one that cannot be used at the start.
 */
export function openKeyFile(path: string, log?: KeyFileLog): KeyFile {
  const files = new FollowedFiles([path]);
  let current = readKeys(path);
  files.follow(() => {
    try {
      current = readKeys(path);
      log?.info({ keys: path, ids: current.ids }, 'the keys were read again');
    } catch (thrown) {
      log?.warn({ keys: path }, `${PinwheelError.from(thrown).message}; the last keys stay good`);
    }
  });
  return {
    get current() {
      return current;
    },
    close: () => files.close(),
  };
}

function readKeys(path: string): KeyRing {
  let text: string;
  try {
    const { mode, size } = statSync(path);
    if ((mode & 0o077) !== 0) {
      const said = (mode & 0o777).toString(8);
      throw new PinwheelError(
        'bad-option',
        `keys: ${path} has mode ${said}; only its owner may read it: chmod 600`,
      );
    }
    if (size > maxBytes) {
      throw new PinwheelError(
        'bad-option',
        `keys: ${path} has ${size} bytes; it must have at most ${maxBytes}`,
      );
    }
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof PinwheelError) throw cause;
    throw new PinwheelError('bad-option', `keys: ${path} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
  return KeyRing.parse(text);
}
