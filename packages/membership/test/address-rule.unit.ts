import t from 'tap';
import { AddressRule, type AddressRuleOptions } from '../src/member/address-rule.js';

const at = (address: string, port = 7001, wsPort?: number) => ({
  address,
  port,
  ...(wsPort === undefined ? {} : { wsPort }),
});

t.test('where no member can be, whatever is allowed', async (t) => {
  const rows: readonly (readonly [address: string, what: RegExp])[] = [
    ['169.254.169.254', /a metadata service/],
    ['169.254.170.2', /link-local/],
    ['169.254.0.1', /link-local/],
    ['::ffff:169.254.169.254', /a metadata service/],
    ['::ffff:a9fe:a9fe', /a metadata service/],
    ['0:0:0:0:0:FFFF:A9FE:0001', /link-local/],
    ['fd00:ec2::254', /a metadata service/],
    ['fd00:0ec2:0:0:0:0:0:0254', /a metadata service/],
    ['fd20:ce::254', /a metadata service/],
    ['100.100.100.200', /a metadata service/],
    ['168.63.129.16', /a metadata service/],
    ['fe80::1', /link-local/],
    ['febf::1', /link-local/],
    ['0.0.0.0', /this network/],
    ['0.1.2.3', /this network/],
    ['::', /unspecified|disguise/],
    ['::ffff:0.0.0.0', /this network/],
    ['224.0.0.1', /multicast/],
    ['239.255.255.250', /multicast/],
    ['ff02::1', /multicast/],
    ['255.255.255.255', /broadcast/],
    ['240.0.0.1', /reserved/],
    ['::127.0.0.1', /disguise/],
    ['::a9fe:a9fe', /disguise/],
    ['64:ff9b::a9fe:a9fe', /disguise/],
    ['64:ff9b:1::1', /disguise/],
    ['2002:a9fe:a9fe::1', /disguise/],
    ['2001:0:1::1', /disguise/],
  ];
  const everywhere = { allowNetworks: ['0.0.0.0/0', '::/0'], allowPorts: ['1-65535'], allowDnsNames: true };
  for (const options of [{}, everywhere]) {
    const rule = new AddressRule(options, 'consul');
    for (const [address, what] of rows) t.match(rule.faultOf(at(address)), what, address);
  }
});

t.test('what is allowed', async (t) => {
  const inside = { allowNetworks: ['10.1.0.0/16', '192.168.1.7', 'fd12::/16'] };
  const rows: readonly (readonly [AddressRuleOptions, ReturnType<typeof at>, RegExp | undefined])[] = [
    [{}, at('127.0.0.1'), undefined],
    [{}, at('::1'), undefined],
    [{}, at('0:0:0:0:0:0:0:1'), undefined],
    [{}, at('10.0.0.1'), undefined],
    [{}, at('8.8.8.8'), undefined],
    [{}, at('fd12::1'), undefined],
    [{}, at('2a00::1'), undefined],
    [{}, at('10.0.0.1', 80), undefined],
    [{}, at('10.0.0.1', 443), undefined],
    [{}, at('10.0.0.1', 1024, 65_535), undefined],
    [{}, at('10.0.0.1', 22), /port is 22; it must be in 80, 443, 1024-65535/],
    [{}, at('10.0.0.1', 7001, 25), /wsPort is 25; it must be in 80/],
    [{}, at('localhost'), /host names are not taken/],
    [{}, at('metadata.google.internal'), /host names are not taken/],
    [{ allowDnsNames: true }, at('node-1.internal'), undefined],
    [{ ...inside, allowDnsNames: true }, at('node-1.internal'), undefined],
    [inside, at('10.1.255.255'), undefined],
    [inside, at('::ffff:10.1.0.1'), undefined],
    [inside, at('192.168.1.7'), undefined],
    [inside, at('fd12:ffff::1'), undefined],
    [inside, at('10.2.0.1'), /address is 10.2.0.1; it must be in 10.1.0.0\/16, 192.168.1.7, fd12::\/16/],
    [inside, at('::ffff:10.2.0.1'), /must be in/],
    [inside, at('192.168.1.8'), /must be in/],
    [inside, at('fd13::1'), /must be in/],
    [inside, at('127.0.0.1'), /must be in/],
    [inside, at('::1'), /must be in/],
    [{ allowPorts: ['22', '7000-7009'] }, at('10.0.0.1', 22, 7009), undefined],
    [{ allowPorts: ['7000-7009'] }, at('10.0.0.1', 7010), /port is 7010; it must be in 7000-7009/],
    [{ allowPorts: ['7000-7009'] }, at('10.0.0.1', 7000, 7010), /wsPort is 7010/],
  ];
  for (const [options, member, says] of rows) {
    const fault = new AddressRule(options, 'consul').faultOf(member);
    const what = `${JSON.stringify(member)} with ${JSON.stringify(options)}`;
    if (says === undefined) t.equal(fault, undefined, what);
    else t.match(fault, says, what);
  }
  t.equal(
    new AddressRule({}, 'file').faultOf(at('localhost')),
    undefined,
    'names, where they are the default',
  );
  t.equal(new AddressRule({}, 'file').faultOf(at('10.0.0.1', 22)), undefined, 'and any port');
  t.match(new AddressRule({ allowDnsNames: false }, 'file').faultOf(at('localhost')), /not taken/);
});

t.test('what is no rule', async (t) => {
  const rows: readonly (readonly [AddressRuleOptions, RegExp])[] = [
    [{ allowNetworks: [] }, /must not be empty/],
    [{ allowPorts: [] }, /must not be empty/],
    [{ allowNetworks: ['10.0.0.0/33'] }, /allowNetworks has "10.0.0.0\/33"; it must be a network/],
    [{ allowNetworks: ['fd00::/129'] }, /must be a network/],
    [{ allowNetworks: ['10.0.0'] }, /must be a network/],
    [{ allowNetworks: ['10.0.0.0/'] }, /must be a network/],
    [{ allowNetworks: ['10.0.0.0/8 '] }, /must be a network/],
    [{ allowNetworks: ['example.com'] }, /must be a network/],
    [{ allowNetworks: [''] }, /must be a network/],
    [{ allowPorts: ['0'] }, /allowPorts has "0"; it must be a port or a range/],
    [{ allowPorts: ['70000'] }, /must be a port/],
    [{ allowPorts: ['8000-7000'] }, /must be a port/],
    [{ allowPorts: ['7000-'] }, /must be a port/],
    [{ allowPorts: ['http'] }, /must be a port/],
  ];
  for (const [options, message] of rows) {
    t.throws(
      () => new AddressRule(options, 'consul'),
      { code: 'bad-option', message },
      JSON.stringify(options),
    );
  }
});
