import { type Profiler, Session } from 'node:inspector/promises';
import t from 'tap';
import { type HttpResponse, Opening, type us_socket_context_t, type WebSocket } from '../src/index.js';

/** Opens its socket within the upgrade, as uWebSockets.js does. */
function response(open: () => void): HttpResponse {
  const response = {
    cork: (made: () => void) => made(),
    upgrade: open,
  };
  return response as unknown as HttpResponse;
}

interface Data {
  readonly user: string;
}

const data: Data = { user: 'ada' };
const context = {} as us_socket_context_t;
const ofTheSocket = {};
const socket = { getUserData: () => ofTheSocket } as WebSocket<Data>;

t.test('whoever makes an upgrade gets the socket that it opens', async (t) => {
  const opening = new Opening<Data>();
  const upgrade = (open: () => void) => opening.upgrade(response(open), data, 'key', '', '', context);
  t.equal(
    upgrade(() => opening.open(socket)),
    socket,
  );
  t.same(ofTheSocket, data, 'with its data');
  t.equal(
    upgrade(() => {}),
    undefined,
    'the connection is gone, and the socket of before is not handed out again',
  );
  t.equal(
    upgrade(() => {
      opening.open(socket);
      opening.forget();
    }),
    undefined,
    'it was closed while it opened',
  );
});

t.test('no function of JavaScript is entered while a socket opens', async (t) => {
  const session = new Session();
  session.connect();
  t.teardown(() => session.disconnect());
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const entered = async (step: () => void): Promise<readonly string[]> => {
    await session.post('Profiler.takePreciseCoverage');
    step();
    const { result } = await session.post('Profiler.takePreciseCoverage');
    const ofThePackage = ({ url }: Profiler.ScriptCoverage) => url.includes('/packages/server/src/');
    const functions = result.filter(ofThePackage).flatMap(({ functions }) => functions);
    return functions.filter(({ ranges }) => ranges[0]!.count > 0).map((found) => found.functionName);
  };
  const opening = new Opening<Data>();
  const opened = opening.open.bind(undefined, socket);
  const made = await entered(() => opening.upgrade(response(opened), data, 'key', '', '', context));
  t.same(made, ['upgrade', 'forget'], 'one to begin with, one when the socket is open');
});
