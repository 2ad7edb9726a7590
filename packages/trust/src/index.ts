export { type ApiKey, type ApiScope, apiScopes, newApiKey } from './api-key.js';
export { type ApiKeyFile, openApiKeyFile } from './api-key-file.js';
export {
  type ApiCaller,
  type ApiKeyDecisions,
  ApiKeyGate,
  apiKeyDecisions,
  type KeyedCall,
  type KeyNeed,
  noDecisions,
} from './api-key-gate.js';
export { ApiKeySet, type ApiKeySource, checkApiKeyId } from './api-key-set.js';
export { type KeyFile, openKeyFile } from './key-file.js';
export { type Key, KeyRing } from './key-ring.js';
export type { KeySource } from './key-source.js';
export { isMemberNonce, isMemberProof, type MemberClaim, proveMember } from './member-proof.js';
export { boundHeaders, type ProvenCall } from './proof.js';
export { ReplayWindow } from './replay-window.js';
export type { SecretFileLog } from './secret-file.js';
export { Signer } from './signer.js';
export { checkBody, proofWindowMs, Verifier } from './verifier.js';
export { withProof } from './with-proof.js';
