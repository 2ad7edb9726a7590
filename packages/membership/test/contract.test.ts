import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startConsul } from '../../../test/kit/consul.js';
import { until } from '../../../test/kit/until.js';
import { consulMembership } from '../src/consul/consul.js';
import { inProcessMembership } from '../src/in-process.js';
import type { Member, Membership } from '../src/member/contract.js';
import { staticMembership } from '../src/static/static.js';
import { type HealthzNode, startHealthzNode } from './healthz-node.js';
import { record } from './recorded-watch.js';

/** One implementation under test; `connect` is another process's view of the same service. */
interface Source {
  readonly name: string;
  open(t: Test): Promise<{
    connect(): Membership;
    /** What an operator does so that these nodes may register. */
    allow(nodes: readonly HealthzNode[]): Promise<void>;
    /** Takes an entry out from outside. */
    remove(id: string): Promise<void>;
  }>;
}

const consul: Source = {
  name: 'Consul',
  open: async (t) => {
    const agent = await startConsul(t);
    return {
      connect: () => consulMembership({ host: agent.host, port: agent.port, service: 'chat' }),
      allow: async () => {},
      remove: (id) => agent.deregister(id),
    };
  },
};

const file: Source = {
  name: 'static file',
  open: async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'pinwheel-static-'));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const path = join(folder, 'members.json');
    let nodes: readonly HealthzNode[] = [];
    const write = async (): Promise<void> => {
      const members = nodes.map(({ id, port }) => ({ id, address: '127.0.0.1', port }));
      await writeFile(`${path}.new`, JSON.stringify({ members }));
      await rename(`${path}.new`, path);
    };
    await write();
    return {
      connect: () => staticMembership(path, { pollMs: 100 }),
      allow: (allowed) => {
        nodes = [...nodes, ...allowed];
        return write();
      },
      remove: (id) => {
        nodes = nodes.filter((node) => node.id !== id);
        return write();
      },
    };
  },
};

const inProcess: Source = {
  name: 'in-process',
  open: async () => {
    const service = inProcessMembership();
    return {
      connect: () => service,
      allow: async () => {},
      remove: async (id) => service.remove(id),
    };
  },
};

for (const source of [inProcess, file, consul]) {
  t.test(source.name, async (t) => {
    const { connect, allow, remove } = await source.open(t);
    const opened = (): Membership => {
      const membership = connect();
      t.teardown(() => membership.close());
      return membership;
    };
    const node = (id: string) => startHealthzNode(t, id);
    const membership = opened();
    const watch = record(membership);

    await t.test('an empty service has a first view without members', async (t) => {
      t.equal(watch.views.length, 0, 'not from inside the call');
      await until('first view', () => watch.ids() === '');
      t.ok(watch.fresh > 0);
    });

    const n1 = await node('n1');
    const n2 = await node('n2');
    await allow([n1, n2]);
    const registered1 = await membership.register(n1.registration);
    const registered2 = await opened().register(n2.registration);

    await t.test(
      'nodes that register are seen with what they registered, in the order of their ids',
      async (t) => {
        await until('both', () => watch.ids() === 'n1 n2' && watch.newest()?.members[0]?.incarnation);
        const seen = watch.newest();
        const { settingsDigest, settingsText, incarnation } = n1.registration;
        const wanted: Member = {
          id: 'n1',
          address: '127.0.0.1',
          port: n1.port,
          weight: 1,
          draining: false,
          kind: 'node',
          incarnation,
          settingsDigest,
          settingsText,
        };
        t.same(seen?.members[0], wanted);
        t.same(seen?.ignored, []);
      },
    );

    await t.test('a second watch of the same object gets the newest view as its first', async (t) => {
      const second = record(membership);
      t.equal(second.views.length, 0, 'not from inside the call');
      await until('newest view', () => second.ids() === 'n1 n2');
      t.equal(second.views.length, 1);
      second.end();
      second.end();
    });

    await t.test('another process sees the same members with the same digest', async (t) => {
      const other = record(opened());
      await until('same digest', () => other.newest()?.digest === watch.newest()?.digest && other.newest());
      t.equal(other.ids(), 'n1 n2');
      other.end();
    });

    await t.test('refresh without a change calls nobody', async (t) => {
      const before = watch.views.length;
      await membership.refresh();
      t.equal(watch.views.length, before);
    });

    await t.test('a node that drains is still a member, and says so', async (t) => {
      n2.draining = true;
      await registered2.drain();
      await registered2.drain();
      const view = await until('draining', () => watch.newest()?.members.find(({ draining }) => draining));
      t.equal(view.id, 'n2');
      t.equal(watch.ids(), 'n1 n2');
    });

    await t.test('a node that leaves is gone', async () => {
      await registered2.leave();
      await registered2.leave();
      if (source === file) await remove('n2');
      await until('n2 gone', () => watch.ids() === 'n1');
    });

    await t.test(
      'an entry that is taken out from outside is gone for every watch, after refresh at the latest',
      async (t) => {
        const n3 = await node('n3');
        await allow([n3]);
        const other = opened();
        const late = record(other);
        const registered = await membership.register(n3.registration);
        await until('n3', () => late.ids() === 'n1 n3' && watch.ids() === 'n1 n3');
        await registered.leave();
        if (source === file) await remove('n3');
        await other.refresh();
        t.equal(late.ids(), 'n1');
        late.end();
      },
    );

    await t.test('a view is called only for a change', async (t) => {
      for (let i = 1; i < watch.views.length; i++) {
        t.not(watch.views[i]?.digest, watch.views[i - 1]?.digest, `view ${i}`);
      }
    });

    await t.test('what nobody could use is refused by name', async (t) => {
      const cases = [
        [{ id: '' }, 'id is ""'],
        [{ id: '__proto__ ' }, 'id is "__proto__ "'],
        [{ address: '0.0.0.0' }, 'address is 0.0.0.0'],
        [{ address: 'a b' }, 'address is "a b"'],
        [{ port: 0 }, 'port is 0'],
        [{ wsPort: 70_000 }, 'ws-port is 70000'],
        [{ weight: 0 }, 'weight is 0'],
      ] as const;
      for (const [wrong, message] of cases) {
        await t.rejects(
          membership.register({ ...n1.registration, ...wrong }),
          { code: 'bad-option' },
          message,
        );
        await t.rejects(
          membership.register({ ...n1.registration, ...wrong }),
          new RegExp(message.replace('.', '\\.')),
        );
      }
    });

    await t.test('after close nobody is called, and close may be called twice', async (t) => {
      await registered1.leave();
      const closing = opened();
      const ended = record(closing);
      await until('a view', () => ended.views.length > 0);
      await closing.close();
      await closing.close();
      const { fresh, views } = ended;
      const seen = views.length;
      await closing.refresh();
      record(closing);
      await closing.refresh();
      t.equal(ended.fresh, fresh);
      t.equal(ended.views.length, seen);
    });
  });
}
