export { type ApiKey, type ApiScope, apiScopes, hasApiKeyIn, newApiKey } from './api-key.js';
export { type ApiKeyFile, openApiKeyFile } from './api-key-file.js';
export {
  type ApiCaller,
  type ApiKeyDecisions,
  ApiKeyGate,
  apiKeyDecisions,
  type KeyedCall,
  type KeyNeed,
  noDecisions,
  refuseBoth,
} from './api-key-gate.js';
export { ApiKeySet, type ApiKeySource, checkApiKeyId } from './api-key-set.js';
export { checkAuthorities, readAuthorities } from './authorities.js';
export { type Certificate, type CertificatePaths, readCertificate } from './certificate.js';
export {
  type CertificateFiles,
  type CertificateReads,
  type CertificateSource,
  openCertificateFiles,
} from './certificate-files.js';
export { addCertificateMetrics, certificateMetrics } from './certificate-metrics.js';
export { followKeys } from './follow-keys.js';
export type { FileLog } from './followed-files.js';
export { type KeyFile, openKeyFile } from './key-file.js';
export { type Key, KeyRing } from './key-ring.js';
export type { KeySource } from './key-source.js';
export { isMemberNonce, type MemberClaim, memberProofKey, proveMember } from './member-proof.js';
export { boundHeaders, type ProvenCall } from './proof.js';
export { ReplayWindow } from './replay-window.js';
export { Signer } from './signer.js';
export { checkBody, proofWindowMs, Verifier } from './verifier.js';
export { withProof } from './with-proof.js';
