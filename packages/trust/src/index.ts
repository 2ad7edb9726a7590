export { checkAuthorities, readAuthorities } from './authorities.js';
export { type Certificate, type CertificatePaths, readCertificate } from './certificate.js';
export {
  type CertificateFiles,
  type CertificateReads,
  type CertificateSource,
  openCertificateFiles,
} from './certificate-files.js';
export { addCertificateMetrics, certificateMetrics } from './certificate-metrics.js';
export { type KeyFile, type KeyFileLog, openKeyFile } from './key-file.js';
export { type Key, KeyRing } from './key-ring.js';
export type { KeySource } from './key-source.js';
export { boundHeaders, type ProvenCall } from './proof.js';
export { ReplayWindow } from './replay-window.js';
export { Signer } from './signer.js';
export { checkBody, proofWindowMs, Verifier } from './verifier.js';
export { withProof } from './with-proof.js';
