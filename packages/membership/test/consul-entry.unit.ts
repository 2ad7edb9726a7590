import fc from 'fast-check';
import t from 'tap';
import * as consulEntry from '../src/consul/consul-entry.js';
import { nextIndex } from '../src/consul/consul-index.js';
import { AddressRule } from '../src/member/address-rule.js';
import { authorityOf, faultOf } from '../src/member/member-fields.js';

const rule = new AddressRule({}, 'file');
const memberFromEntry = (one: unknown) => consulEntry.memberFromEntry(one, rule);
const membersFromEntries = (all: readonly unknown[]) => consulEntry.membersFromEntries(all, rule);

const entry = (
  service: Record<string, unknown>,
  node: Record<string, unknown> = { Address: '10.0.0.9' },
) => ({
  Node: { Node: 'agent-1', ...node },
  Service: { ID: 'n1', Address: '10.0.0.1', Port: 7001, Meta: { 'pinwheel-incarnation': 'i1' }, ...service },
  Checks: [],
});

t.test('a node with everything', async (t) => {
  const Meta = {
    'pinwheel-ws-port': '7101',
    'pinwheel-weight': '2.5',
    'pinwheel-incarnation': 'abc',
    'pinwheel-draining': 'true',
    'pinwheel-settings': '0123456789abcdef',
    'pinwheel-settings-text': 'hash=xxhash32 virtualNodes=512',
  };
  t.same(memberFromEntry(entry({ Meta })), {
    member: {
      id: 'n1',
      address: '10.0.0.1',
      port: 7001,
      wsPort: 7101,
      weight: 2.5,
      draining: true,
      kind: 'node',
      incarnation: 'abc',
      settingsDigest: '0123456789abcdef',
      settingsText: 'hash=xxhash32 virtualNodes=512',
    },
  });
});

t.test(
  'a server that knows nothing of Pinwheel is a foreign backend at the address of its agent',
  async (t) => {
    t.same(memberFromEntry(entry({ Address: '', Meta: null })), {
      member: { id: 'n1', address: '10.0.0.9', port: 7001, weight: 1, draining: false, kind: 'foreign' },
    });
  },
);

t.test('silly entries are left out, with the reason', async (t) => {
  const meta = (key: string, value: string) =>
    entry({ Meta: { 'pinwheel-incarnation': 'i1', [key]: value } });
  const cases: readonly [unknown, string][] = [
    [entry({ Port: 0 }), 'port is 0; it must be between 1 and 65535'],
    [entry({ Port: 70_000 }), 'port is 70000; it must be between 1 and 65535'],
    [entry({ Port: 80.5 }), 'port is 80.5; it must be between 1 and 65535'],
    [entry({ Address: '' }, {}), 'address is ""; it must be a host name or an IP address'],
    [entry({ Address: ' ' }), 'address is " "; it must be a host name or an IP address'],
    [entry({ Address: 'a\u0000b' }), 'address is "a\\u0000b"; it must be a host name or an IP address'],
    [entry({ Address: 'http://a' }), 'address is "http://a"; it must be a host name or an IP address'],
    [entry({ Address: '0.0.0.0' }), 'address is 0.0.0.0; it must be one that others can connect to'],
    [entry({ Address: '::' }), 'address is ::; it must be one that others can connect to'],
    [entry({ ID: 'a b' }), 'id is "a b"; it must match [A-Za-z0-9._:-]{1,64}'],
    [entry({ ID: 'x'.repeat(65) }), `id is "${'x'.repeat(65)}"; it must match [A-Za-z0-9._:-]{1,64}`],
    [meta('pinwheel-weight', 'heavy'), 'pinwheel-weight is "heavy"; it must be a number'],
    [meta('pinwheel-weight', '0x10'), 'pinwheel-weight is "0x10"; it must be a number'],
    [meta('pinwheel-weight', '1e3'), 'pinwheel-weight is "1e3"; it must be a number'],
    [meta('pinwheel-weight', '0'), 'weight is 0; it must be between 0.01 and 100'],
    [meta('pinwheel-weight', '101'), 'weight is 101; it must be between 0.01 and 100'],
    [meta('pinwheel-ws-port', '0'), 'pinwheel-ws-port is 0; it must be between 1 and 65535'],
    [meta('pinwheel-incarnation', 'a b'), 'incarnation is "a b"; it must match [A-Za-z0-9._:-]{1,64}'],
    [{}, 'the entry is not one of a service'],
    [null, 'the entry is not one of a service'],
    ['n1', 'the entry is not one of a service'],
    [entry({ Port: '7001' }), 'the entry is not one of a service'],
  ];
  for (const [silly, reason] of cases) {
    const read = memberFromEntry(silly);
    t.equal('ignored' in read ? read.ignored.reason : 'a member', reason);
  }
});

t.test('addresses that are fine can stand in a URL', async (t) => {
  const fine = [
    'node-1',
    'node-1.example.',
    '127.0.0.1',
    '::1',
    'fd00::1',
    '::ffff:1.2.3.4',
    'a_b',
    'N1',
    '1.a',
  ];
  for (const Address of fine) {
    const read = memberFromEntry(entry({ Address }));
    t.ok('member' in read, Address);
    t.ok(URL.canParse(`http://${authorityOf(Address, 7001)}/healthz`), Address);
  }
});

t.test('addresses that no URL can have, or that not everybody reads alike, are left out', async (t) => {
  const unfit = [
    ...['10.0.0.256', '1.2.3.4.5', '08.1', 'a.1', 'a.0x', 'xn--a.b', 'xn--a', 'fe80::1%eth0', '::1%lo'],
    ...['10.1', '2130706433', '0x7f000001', '010.0.0.1', '127.0.0.1.', '1', '0'],
  ];
  for (const Address of unfit) {
    const read = memberFromEntry(entry({ Address }));
    const reason = `address is ${JSON.stringify(Address)}; it must be a host name or an IP address`;
    t.equal('ignored' in read ? read.ignored.reason : 'a member', reason);
  }
  for (const Address of ['0.0.0.0', '::', '::0', '0:0:0:0:0:0:0:0', '::ffff:0.0.0.0']) {
    const read = memberFromEntry(entry({ Address }));
    const reason = `address is ${Address}; it must be one that others can connect to`;
    t.equal('ignored' in read ? read.ignored.reason : 'a member', reason);
  }
});

t.test('whatever passes as an address, a URL can have it', async () => {
  const label = fc.stringMatching(/^[A-Za-z0-9._:%-]{1,20}$/);
  fc.assert(
    fc.property(fc.oneof(label, fc.ipV4Extended(), fc.ipV6(), fc.domain()), (address) => {
      return faultOf.address(address) !== undefined || URL.canParse(`http://${authorityOf(address, 7001)}/`);
    }),
    { numRuns: 2_000 },
  );
});

t.test(
  'an id that is registered twice counts once, the newer one, in whatever order they come',
  async (t) => {
    const older = entry({ Address: '10.0.0.1', CreateIndex: 10 });
    const newer = entry({ Address: '10.0.0.2', CreateIndex: 20 });
    for (const list of [
      [older, newer],
      [newer, older],
    ]) {
      const { members, ignored } = membersFromEntries(list);
      t.same(
        members.map(({ address }) => address),
        ['10.0.0.2'],
      );
      t.same(ignored, [{ id: 'n1', reason: 'id is registered twice; 10.0.0.1:7001 is the older one' }]);
    }
  },
);

t.test('the index to wait on', async (t) => {
  const cases: readonly [string | undefined, string | undefined, string | undefined][] = [
    ['7', undefined, '7'],
    ['8', '7', '8'],
    ['7', '7', '7'],
    ['6', '7', undefined],
    ['0', undefined, undefined],
    ['0', '7', undefined],
    [undefined, '7', undefined],
    ['-1', undefined, undefined],
    ['7.5', undefined, undefined],
    ['nonsense', '7', undefined],
    // beyond what a double holds exactly
    ['9007199254740993', '9007199254740992', '9007199254740993'],
    ['9007199254740992', '9007199254740993', undefined],
    ['18446744073709551615', '9', '18446744073709551615'],
    ['10', '9', '10'],
  ];
  for (const [answered, waitedOn, next] of cases) {
    t.equal(nextIndex(answered, waitedOn), next, `${answered} after ${waitedOn}`);
  }
});
