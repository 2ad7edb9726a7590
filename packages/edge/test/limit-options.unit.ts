import { BlockList } from 'node:net';
import t from 'tap';
import { addressKey, clientAddress } from '../src/limits/client-address.js';
import { resolveLimits } from '../src/limits/limit-options.js';

t.test('what addresses are counted by', async (t) => {
  const cases: readonly (readonly [address: string, key: string])[] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['0000:0000:0000:0000:0000:ffff:c000:0201', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:0db8:0000:0000:ffff:0000:0000:0002', '2001:db8:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['', ''],
    ['no address', 'no address'],
  ];
  for (const [address, key] of cases) t.equal(addressKey(address), key, address);
});

t.test('a client behind a trusted proxy, with the port that some proxies write', async (t) => {
  const trusted = new BlockList();
  trusted.addSubnet('10.0.0.0', 8);
  const cases: readonly (readonly [forwardedFor: string, address: string])[] = [
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1:51234', '192.0.2.1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['192.0.2.9, 192.0.2.1:51234, 10.0.0.7:80', '192.0.2.1'],
    ['192.0.2.1, unknown', '10.0.0.1'],
    ['999.0.2.1:1', '10.0.0.1'],
    ['', '10.0.0.1'],
  ];
  for (const [forwardedFor, address] of cases) {
    t.equal(clientAddress('10.0.0.1', forwardedFor, trusted), address, forwardedFor);
  }
});

t.test('bounds that cannot be', async (t) => {
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ maxConnections: 0 }, /maxConnections is 0; it must be a whole number between 1 and 10000000/],
    [{ maxConnections: Number.NaN }, /maxConnections is NaN; it must be/],
    [{ maxConnectionsPerUser: -1 }, /maxConnectionsPerUser is -1; it must be .* between 0 and 10000000/],
    [{ maxConnectionsPerAddress: 1.5 }, /maxConnectionsPerAddress is 1.5; it must be/],
    [{ connectsPerSecond: 1e7 }, /connectsPerSecond is 10000000; it must be .* between 0 and 1000000/],
    [{ messagesPerSecond: Number.POSITIVE_INFINITY }, /messagesPerSecond is Infinity; it must be/],
    [{ bytesPerSecond: '5' }, /bytesPerSecond is 5; it must be/],
    [{ messagesPerSecondPerUser: -5 }, /messagesPerSecondPerUser is -5; it must be/],
    [{ bytesPerSecondPerUser: 2 ** 41 }, /bytesPerSecondPerUser is 2199023255552; it must be/],
    [{ maxRssBytes: 1000 }, /maxRssBytes is 1000; it must be .* between 16777216 and/],
    [{ maxHeadBytes: 1023 }, /maxHeadBytes is 1023; it must be .* between 1024 and 16384/],
    [{ headTimeoutMs: 99 }, /headTimeoutMs is 99; it must be .* between 100 and 300000/],
    [{ trustedProxies: ['10.0.0.0/33'] }, /trustedProxies has "10.0.0.0\/33"; each must be an address or a/],
    [{ trustedProxies: ['10.0.0.0/-1'] }, /trustedProxies has "10.0.0.0\/-1"/],
    [{ trustedProxies: ['10.0.0.0/8/8'] }, /trustedProxies has "10.0.0.0\/8\/8"/],
    [{ trustedProxies: ['10.0.0.0/'] }, /trustedProxies has "10.0.0.0\/"/],
    [{ trustedProxies: ['proxy.example'] }, /trustedProxies has "proxy.example"/],
    [{ trustedProxies: ['10.0.0.0/8', ''] }, /trustedProxies has ""/],
  ];
  for (const [options, message] of wrong) {
    t.throws(() => resolveLimits(options, 'link'), { code: 'bad-option', message }, JSON.stringify(options));
  }
});
