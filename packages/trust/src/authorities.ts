import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { PinwheelError } from '@pinwheel/protocol';

/** @throws PinwheelError `bad-option` for a text that does not begin with a certificate in PEM; Node.js trusts nobody then, in silence. */
export function checkAuthorities(option: string, pem: string): string {
  try {
    new X509Certificate(pem);
    return pem;
  } catch (cause) {
    throw new PinwheelError('bad-option', `${option} is no certificate in PEM: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/**
 * Reads the certificates of authorities.
 *
 * @throws PinwheelError `bad-option` that names the file.
 */
export function readAuthorities(option: string, path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new PinwheelError('bad-option', `${option}: ${path} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
  return checkAuthorities(`${option}: ${path}`, text);
}
