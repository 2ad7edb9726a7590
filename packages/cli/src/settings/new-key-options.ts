import { apiScopes } from '@pinwheel/trust/api-key.js';
import { text, whole } from './option.js';

/** What a new API key is to be. */
export const newKeyOptions = {
  apiKeyId: { ...text('id', 'ID', 'id of the key, 1–64 of A-Z a-z 0-9 . -', 'required'), onlyFlag: true },
  scopes: {
    ...text('scopes', 'SCOPE,…', `what the key may do: ${apiScopes.join(', ')}`, 'required'),
    onlyFlag: true,
  },
  sendsPerSecond: {
    ...whole(
      'sends-per-second',
      1,
      1_000_000,
      'messages that it may send for each second, at each node',
      'any',
    ),
    onlyFlag: true,
  },
  burst: {
    ...whole('burst', 1, 1_000_000, 'messages that it may send at once', '--sends-per-second'),
    onlyFlag: true,
  },
  expiresAt: {
    ...text('expires-at', 'TIME', 'when it ends, such as 2027-01-31T00:00:00Z', 'never'),
    onlyFlag: true,
  },
} as const;
