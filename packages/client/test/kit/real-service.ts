import { createEdge } from '@pinwheel/edge';
import { inProcessMembership } from '@pinwheel/membership';
import { createNode } from '@pinwheel/node';
import { createSender } from '@pinwheel/sender';
import type { Test } from 'tap';
import type { Service } from './service.js';

/** An edge and two nodes in this process, with an application that remembers and answers. */
export async function startRealService(t: Test): Promise<Service> {
  const membership = inProcessMembership();
  const received = new Map<string, (string | Uint8Array)[]>();
  const of = (user: string): (string | Uint8Array)[] => {
    const known = received.get(user) ?? [];
    received.set(user, known);
    return known;
  };
  const nodes = await Promise.all(
    ['n1', 'n2'].map((id) =>
      createNode({
        id,
        membership,
        onMessage: ({ user, data, reply }) => {
          of(user).push(typeof data === 'string' ? data : new Uint8Array(data));
          if (typeof data === 'string' && data.startsWith('echo ')) reply(data.slice(5));
        },
        onSend: () => true,
      }),
    ),
  );
  const [node] = nodes;
  await Promise.all(nodes.map((each) => each.ready()));
  const edge = await createEdge({ id: 'e1', membership });
  const sender = createSender({ membership });
  t.teardown(async () => {
    await sender.close();
    await edge.close();
    await Promise.all(nodes.map((each) => each.close()));
    await membership.close();
  });
  const url = (user: string): string => `http://127.0.0.1:${node!.port}/v1/users/${encodeURIComponent(user)}`;
  return {
    port: edge.port,
    send: async (user, data) => {
      const receipt = await sender.send(user, data);
      if (!['delivered', 'queued'].includes(receipt.status)) throw new Error(JSON.stringify(receipt));
    },
    received: of,
    close: async (user, code, reason) => {
      const query = new URLSearchParams({ code: String(code), reason });
      await fetch(`${url(user)}/sessions?${query}`, { method: 'DELETE' });
    },
    hasSession: async (user) => {
      const { sessions } = (await (await fetch(url(user))).json()) as { readonly sessions: unknown[] };
      return sessions.length > 0;
    },
  };
}
