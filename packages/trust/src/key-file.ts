import type { FileLog } from './followed-files.js';
import { KeyRing } from './key-ring.js';
import { openSecretFile, type SecretFile } from './secret-file.js';

/** Keys that follow a file. */
export type KeyFile = SecretFile<KeyRing>;

/**
 * Reads the keys of a service from a file; see {@link openSecretFile}.
 *
 * @throws PinwheelError `bad-option` for one that cannot be used at the start.
 */
export function openKeyFile(path: string, log?: FileLog): KeyFile {
  return openSecretFile(
    path,
    { name: 'keys', maxBytes: 65_536, parse: KeyRing.parse, idsOf: (keys) => keys.ids },
    log,
  );
}
