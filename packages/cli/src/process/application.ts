import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Application, webhookApplication } from '@pinwheel/node';
import { PinwheelError } from '@pinwheel/protocol';
import { options } from '../settings/options.js';
import type { Settings } from '../settings/settings.js';
import { syntaxPlace } from './syntax-place.js';

export interface OpenApplication {
  readonly callbacks: Application;
  close(): Promise<void>;
}

const names = ['onConnect', 'onMessage', 'onSend', 'onDisconnect'] as const;

/**
 * The application that `--app` or `--webhook` names; without either an empty one, and clients that send are refused.
 *
 * @throws PinwheelError `bad-option` for both, for a module that cannot be loaded or exports none of the callbacks.
 */
export async function openApplication(settings: Settings): Promise<OpenApplication> {
  const app = settings.text(options.app);
  const webhook = settings.text(options.webhook);
  if (app !== undefined && webhook !== undefined) {
    throw new PinwheelError(
      'bad-option',
      'app and webhook are both given; what clients send goes to one of them',
    );
  }
  if (webhook !== undefined) {
    const { close, ...callbacks } = webhookApplication({ url: webhook });
    return { callbacks, close };
  }
  return { callbacks: app === undefined ? {} : await loadModule(app), close: async () => {} };
}

async function loadModule(file: string): Promise<Application> {
  let exported: Record<string, unknown>;
  try {
    exported = (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>;
  } catch (cause) {
    const place = syntaxPlace(cause, file);
    const why = `${(cause as Error).message}${place === '' ? '' : `\n\n${place}`}`;
    throw new PinwheelError('bad-option', `cannot load app ${file}: ${why}`, { cause });
  }
  const callbacks = Object.fromEntries(
    names.flatMap((name) => (typeof exported[name] === 'function' ? [[name, exported[name]]] : [])),
  );
  if (Object.keys(callbacks).length > 0) return callbacks as Application;
  throw new PinwheelError('bad-option', `app ${file} must export at least one of: ${names.join(', ')}`);
}
