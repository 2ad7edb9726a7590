/** Headers in which proxies and gateways tell backends who a user is: what begins like one of these. */
const identities = [
  'pinwheel-',
  'x-pinwheel-',
  'x-user',
  'x-auth-',
  'x-authenticated-',
  'x-forwarded-user',
  'x-forwarded-email',
  'x-forwarded-groups',
  'x-forwarded-preferred-username',
  'x-forwarded-access-token',
  'x-forwarded-client-cert',
  'x-remote-user',
  'x-remote-email',
  'x-remote-group',
  'x-remote-name',
  'x-webauth-',
  'x-authentik-',
  'x-vouch-',
  'x-pomerium-',
  'x-apigateway-api-userinfo',
  'x-endpoint-api-userinfo',
  'oidc-claim-',
  'oidc-access-token',
  'oidc-id-token',
  'x-consumer-',
  'x-credential-',
  'x-jwt-',
  'x-token-',
  'x-id-token',
  'x-userinfo',
  'x-end-user',
  'x-goog-authenticated-user-',
  'x-goog-iap-',
  'x-amzn-oidc-',
  'x-ms-client-principal',
  'x-ms-token-',
  'x-client-cert',
  'client-cert',
  'x-client-verify',
  'x-ssl-client-',
  'ssl-client-',
  'cf-access-',
  'tailscale-',
  'remote-user',
  'remote-email',
  'remote-groups',
  'remote-name',
];

/** Names of headers that a client may set, in a spelling that reads as theirs. */
const forwarded = 'x-forwarded-';

/**
 * Whether a backend must be able to believe this header, so that no client's own may reach it. Frameworks read `_`, and
 * some of them every other sign, as `-`.
 *
 * @param name in lower case.
 */
export function isReserved(name: string): boolean {
  const plain = name.replace(/[^a-z0-9]/g, '-');
  if (identities.some((prefix) => plain.startsWith(prefix))) return true;
  return plain !== name && plain.startsWith(forwarded);
}
