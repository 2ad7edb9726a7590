import { PinwheelError } from '@pinwheel/protocol';
import { type CertificateFiles, type FileLog, openCertificateFiles } from '@pinwheel/trust';
import type { Option } from './option.js';
import { options } from './options.js';
import type { Settings } from './settings.js';

/** Of every command that takes clients. */
export const tlsOptions: readonly Option[] = [options.tlsCert, options.tlsKey];

/** The certificate that clients are shown; `undefined` when they connect without TLS. */
export function tlsOf(settings: Settings, log?: FileLog): CertificateFiles | undefined {
  const cert = settings.text(options.tlsCert);
  const key = settings.text(options.tlsKey);
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined) throw alone('tls-key', key, 'tls-cert', 'the certificate');
  if (key === undefined) throw alone('tls-cert', cert, 'tls-key', 'its private key');
  return openCertificateFiles({ cert, key }, log);
}

function alone(name: string, value: string | undefined, missing: string, what: string): PinwheelError {
  return new PinwheelError(
    'bad-option',
    `${name} is ${value} and ${missing} is missing; give ${what} with --${missing} FILE, or neither`,
  );
}
