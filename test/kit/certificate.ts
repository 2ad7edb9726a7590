import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface TestCertificate {
  /** In PEM. */
  readonly cert: string;
  readonly key: string;
}

const day = 86_400_000;

/**
 * A certificate for `localhost` and `127.0.0.1` that has signed itself, so that it is its own authority, with a key of
 * its own. Its bytes are put together here: neither node:crypto nor every machine that tests can make one.
 *
 * @param lastsMs from now; negative for one that is over.
 */
export function makeCertificate(lastsMs = 30 * day): TestCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const serial = Buffer.concat([Buffer.from([1]), randomBytes(8)]);
  // of its own: who trusts several authorities looks for one by its name
  const name = nameOf(`pinwheel test ${serial.toString('hex')}`);
  const toSign = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    ecdsaWithSha256,
    name,
    sequence(time(Date.now() - 60 * day), time(Date.now() + lastsMs)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(alternativeNames())),
  );
  const signature = tagged(0x03, Buffer.from([0]), sign('sha256', toSign, privateKey));
  return {
    cert: pem('CERTIFICATE', sequence(toSign, ecdsaWithSha256, signature)),
    key: pemOf(privateKey),
  };
}

const ecdsaWithSha256 = sequence(Buffer.from('06082a8648ce3d040302', 'hex'));

/** Of DER: a tag, the length, the content. */
function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content]);
}

/** In as few bytes as it takes. */
function lengthOf(bytes: number): readonly number[] {
  if (bytes < 128) return [bytes];
  return bytes < 256 ? [0x81, bytes] : [0x82, bytes >> 8, bytes & 255];
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, ...parts);
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

/** A common name. */
function nameOf(text: string): Buffer {
  const commonName = Buffer.from('0603550403', 'hex');
  return sequence(tagged(0x31, sequence(commonName, tagged(0x0c, Buffer.from(text)))));
}

function time(at: number): Buffer {
  const text = new Date(at).toISOString().replace(/[-:T]|\.\d+/g, '');
  return tagged(0x18, Buffer.from(text));
}

function alternativeNames(): Buffer {
  const extension = Buffer.from('0603551d11', 'hex');
  const names = sequence(tagged(0x82, Buffer.from('localhost')), tagged(0x87, Buffer.from([127, 0, 0, 1])));
  return sequence(extension, tagged(0x04, names));
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string;
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
