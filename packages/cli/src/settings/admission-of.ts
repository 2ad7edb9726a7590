import type { EdgeOptions } from '@pinwheel/edge';
import { PinwheelError } from '@pinwheel/protocol';
import { listed } from '../output/output.js';
import { given } from './given.js';
import { options } from './options.js';
import type { Settings } from './settings.js';

const ofJwt: readonly (keyof typeof options)[] = [
  'jwks',
  'jwtIssuer',
  'jwtAudience',
  'jwtAlgorithms',
  'jwtUserClaim',
  'jwtCookie',
  'jwtLeewaySeconds',
  'jwksRefreshMs',
];

/** How the clients of an edge prove who they are. */
export function admissionOf(settings: Settings): Partial<EdgeOptions> {
  return {
    allowAnonymous: settings.flag(options.allowAnonymous),
    ...given('auth', settings.text(options.auth) as EdgeOptions['auth']),
    ...jwtOf(settings),
    ...given('authUrl', settings.text(options.authUrl)),
    ...given('authTimeoutMs', settings.number(options.authTimeoutMs)),
    ...given('authCacheMs', settings.number(options.authCacheMs)),
    ...given('allowOrigin', settings.texts(options.allowOrigin)),
  };
}

function jwtOf(settings: Settings): Pick<EdgeOptions, 'jwt'> {
  const isGiven = ofJwt.some((name) => settings.text(options[name]) !== undefined);
  if (!isGiven && settings.text(options.auth) !== 'jwt') return {};
  refuseMissing(settings);
  const algorithms = settings.texts(options.jwtAlgorithms);
  return {
    jwt: {
      jwks: settings.needText(options.jwks),
      issuer: settings.texts(options.jwtIssuer)!,
      audience: settings.texts(options.jwtAudience)!,
      ...given(
        'algorithms',
        algorithms?.flatMap((one) => one.split(',')),
      ),
      ...given('userClaim', settings.text(options.jwtUserClaim)),
      ...given('cookie', settings.text(options.jwtCookie)),
      ...given('leewaySeconds', settings.number(options.jwtLeewaySeconds)),
      ...given('refreshMs', settings.number(options.jwksRefreshMs)),
    },
  };
}

/** All at once: whoever gives one after the other would start an edge three times for nothing. */
function refuseMissing(settings: Settings): void {
  const missing = [options.jwks, options.jwtIssuer, options.jwtAudience].filter(
    (option) => settings.text(option) === undefined,
  );
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => `--${name}`);
  throw new PinwheelError('bad-option', `--auth jwt needs ${listed(names)}`);
}
