import { type KeyFile, type KeyFileLog, openKeyFile } from '@pinwheel/trust';
import { options } from './options.js';
import type { Settings } from './settings.js';

/** The keys that a process shares with the others of its service; `undefined` when it has none. */
export function keysOf(settings: Settings, log?: KeyFileLog): KeyFile | undefined {
  const path = settings.text(options.keys);
  return path === undefined ? undefined : openKeyFile(path, log);
}
