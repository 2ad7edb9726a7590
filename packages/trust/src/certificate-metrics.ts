import { counter, gauge, type Metrics, readingsOf } from '@pinwheel/metrics';
import { type CertificateSource, certificateReadOutcomes } from './certificate-files.js';

/** What a process with a certificate measures of it. */
export const certificateMetrics = {
  expiry: gauge(
    'pinwheel_tls_certificate_expiry_seconds',
    'Time until the certificate in use is over; negative afterwards.',
  ),
  reads: counter(
    'pinwheel_tls_certificate_reads_total',
    'Certificates that were read because a file had changed, by what became of them.',
    { outcome: certificateReadOutcomes },
  ),
} as const;

/** Call once. */
export function addCertificateMetrics(metrics: Metrics, certificates: CertificateSource): void {
  metrics.add(certificateMetrics.expiry, () => (certificates.current.expiresAt - Date.now()) / 1000);
  metrics.add(certificateMetrics.reads, () => readingsOf({ ...certificates.reads }));
}
