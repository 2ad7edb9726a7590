import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import ts from 'typescript';

const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url));
const strict: ts.CompilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  target: ts.ScriptTarget.ES2022,
};

/** What the compiler says of a program in a project that has the packages. */
function compile(t: Test, program: string, options: ts.CompilerOptions): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'pinwheel-types-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(modules, join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  const file = join(folder, 'program.ts');
  writeFileSync(file, program);
  const compiled = ts.createProgram([file], { ...strict, ...options });
  return ts
    .getPreEmitDiagnostics(compiled)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

t.test('a page gives the WebSocket of its browser', { timeout: 120_000 }, async (t) => {
  const page = `
import { type ClientStatus, connect } from '@pinwheel/client';

const statuses: ClientStatus[] = [];
const connection = connect('/ws', {
  webSocket: WebSocket,
  token: async () => (await fetch('/token')).text(),
  onMessage: ({ data }) => document.body.append(String(data)),
  onStatus: (status) => statuses.push(status),
});
await connection.send(new Uint8Array(1));
`;
  const lib = ['lib.es2022.d.ts', 'lib.dom.d.ts'];
  for (const [module, moduleResolution] of [
    [ts.ModuleKind.ESNext, ts.ModuleResolutionKind.Bundler],
    [ts.ModuleKind.Node16, ts.ModuleResolutionKind.Node16],
  ] as const) {
    t.same(compile(t, page, { module, moduleResolution, lib, types: [] }), []);
  }
});

t.test('a process gives that of ws', { timeout: 120_000 }, async (t) => {
  const program = `
import { type Connection, connect, PinwheelError } from '@pinwheel/client';
import { WebSocket } from 'ws';

await using connection: Connection = connect('ws://127.0.0.1:1/ws', { webSocket: WebSocket });
try {
  const { status } = await connection.sendTo('bob', 'hi', { wait: 'client' });
  console.log(status);
} catch (error) {
  if (!(error instanceof PinwheelError) || error.code !== 'deadline') throw error;
}
`;
  const options = { module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16 };
  const lib = ['lib.es2022.d.ts'];
  t.same(compile(t, program, { ...options, lib, types: ['node'], skipLibCheck: true }), []);
});
