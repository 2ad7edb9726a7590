import { type Certificate, type CertificatePaths, readCertificate } from './certificate.js';
import { type FileLog, FollowedFiles } from './followed-files.js';

/** What became of the certificates that were read after the start. */
export const certificateReadOutcomes = ['taken', 'refused'] as const;
export type CertificateReads = Record<(typeof certificateReadOutcomes)[number], number>;

/** The certificate of the moment; it changes while a process runs. */
export interface CertificateSource {
  readonly current: Certificate;
  readonly reads: Readonly<CertificateReads>;
  /**
   * Has somebody take each next certificate. When he throws it is refused, and `current` stays.
   *
   * @returns the call that ends it.
   */
  follow(take: (next: Certificate) => void): () => void;
}

/** A certificate that follows its files. */
export interface CertificateFiles extends CertificateSource {
  /** Follows them no more. May be called twice. */
  close(): void;
}

const day = 86_400_000;
/** Less time than this is said in the log. */
const soonMs = 14 * day;

/**
 * Reads a certificate and its key from files, and again within about a second when one of them changes. A pair that is
 * broken, or half written, changes nothing; the log says so.
 *
 * @throws PinwheelError `bad-option` for a pair that cannot be used at the start.
 */
export function openCertificateFiles(paths: CertificatePaths, log?: FileLog): CertificateFiles {
  const files = new FollowedFiles([paths.cert, paths.key]);
  const reads: CertificateReads = { taken: 0, refused: 0 };
  const takers = new Set<(next: Certificate) => void>();
  let current = readCertificate(paths);
  warnOfEnd(current, log);
  files.follow(
    () => {
      const next = readCertificate(paths);
      for (const take of takers) take(next);
      current = next;
      reads.taken++;
      const { names, fingerprint } = next;
      log?.info({ tlsCert: paths.cert, names, fingerprint }, 'new connections get the new certificate');
      warnOfEnd(next, log);
    },
    ({ message }) => {
      reads.refused++;
      log?.warn({ tlsCert: paths.cert }, `${message}; the last certificate stays in use`);
    },
  );
  return {
    get current() {
      return current;
    },
    reads,
    follow(take) {
      takers.add(take);
      return () => takers.delete(take);
    },
    close: () => files.close(),
  };
}

function warnOfEnd({ paths, expiresAt }: Certificate, log: FileLog | undefined): void {
  const left = expiresAt - Date.now();
  if (left > soonMs) return;
  const at = new Date(expiresAt).toISOString();
  const what = left <= 0 ? 'is over since' : 'is good only until';
  log?.warn({ tlsCert: paths.cert }, `the certificate in ${paths.cert} ${what} ${at}; put a new one there`);
}
