import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { PinwheelError } from '@pinwheel/protocol';

/** Where a certificate and its private key are, both in PEM. */
export interface CertificatePaths {
  /** The certificate, and behind it those of its chain. */
  readonly cert: string;
  readonly key: string;
}

/** What a server shows its clients, and its private key. Immutable. */
export interface Certificate {
  readonly paths: CertificatePaths;
  /** In PEM. */
  readonly cert: string;
  readonly key: string;
  /** The names that it is good for: `DNS:chat.example, IP Address:10.0.0.1`. */
  readonly names: string;
  /** SHA-256, as openssl prints it. */
  readonly fingerprint: string;
  /** In ms since 1970. */
  readonly expiresAt: number;
}

/**
 * Reads a certificate with its key.
 *
 * @throws PinwheelError `bad-option` that names the file: one that cannot be read or is not what it must be, or a pair
 * that does not belong together. What is in a file is not in the message.
 */
export function readCertificate(paths: CertificatePaths): Certificate {
  const cert = readText('tls-cert', paths.cert);
  const key = readText('tls-key', paths.key);
  const leaf = parse(() => new X509Certificate(cert), `tls-cert: ${paths.cert} is no certificate in PEM`);
  const privateKey = parse<KeyObject>(
    () => createPrivateKey(key),
    `tls-key: ${paths.key} is no private key in PEM without a passphrase`,
  );
  if (!leaf.checkPrivateKey(privateKey)) {
    throw bad(
      `tls-key: ${paths.key} is not the key of the certificate in ${paths.cert}; give those that were made together`,
    );
  }
  // the same check that a server makes: it refuses keys that are too short, and broken certificates of the chain
  parse(() => createSecureContext({ cert, key }), `tls-cert: ${paths.cert} cannot be served`);
  return {
    paths,
    cert,
    key,
    names: leaf.subjectAltName ?? leaf.subject,
    fingerprint: leaf.fingerprint256,
    expiresAt: Date.parse(leaf.validTo),
  };
}

function readText(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw bad(`${option}: ${path} cannot be read: ${(cause as Error).message}`, cause);
  }
}

function parse<T>(read: () => T, otherwise: string): T {
  try {
    return read();
  } catch (cause) {
    throw bad(`${otherwise}: ${(cause as Error).message}`, cause);
  }
}

function bad(why: string, cause?: unknown): PinwheelError {
  return new PinwheelError('bad-option', why, { cause });
}
