import { ApiKeySet } from './api-key-set.js';
import type { FileLog } from './followed-files.js';
import { openSecretFile, type SecretFile } from './secret-file.js';

/** API keys that follow a file. */
export type ApiKeyFile = SecretFile<ApiKeySet>;

/**
 * Reads API keys from a file; see {@link openSecretFile}. It holds no secrets, but who can write to it lets in whom he likes.
 *
 * @throws PinwheelError `bad-option` for one that cannot be used at the start.
 */
export function openApiKeyFile(path: string, log?: FileLog): ApiKeyFile {
  return openSecretFile(
    path,
    { name: 'api keys', maxBytes: 262_144, parse: ApiKeySet.parse, idsOf: (keys) => keys.ids },
    log,
  );
}
