import { type ApiKeyFile, type FileLog, type KeyFile, openApiKeyFile, openKeyFile } from '@pinwheel/trust';
import { options } from './options.js';
import type { Settings } from './settings.js';

/** The keys that a process shares with the others of its service; `undefined` when it has none. */
export function keysOf(settings: Settings, log?: FileLog): KeyFile | undefined {
  const path = settings.text(options.keys);
  return path === undefined ? undefined : openKeyFile(path, log);
}

/** The API keys that a process takes calls with; `undefined` when it takes none. */
export function apiKeysOf(settings: Settings, log?: FileLog): ApiKeyFile | undefined {
  const path = settings.text(options.apiKeys);
  return path === undefined ? undefined : openApiKeyFile(path, log);
}
