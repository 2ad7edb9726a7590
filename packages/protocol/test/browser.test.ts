import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import t from 'tap';

const entry = new URL('../dist/client/index.js', import.meta.url);

/** Every file that a module brings with it, with its code. */
function importedBy(entry: URL, nameOf = (specifier: string) => specifier): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const open = [entry];
  for (let url = open.pop(); url !== undefined; url = open.pop()) {
    if (found.has(url.href)) continue;
    const code = readFileSync(url, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
    found.set(url.href, code);
    for (const [, , specifier] of code.matchAll(/\b(?:from|import)\s*\(?\s*(['"])(.*?)\1/g)) {
      if (!specifier!.startsWith('.')) throw new Error(`${url.href} imports ${specifier}`);
      open.push(new URL(nameOf(specifier!), url));
    }
  }
  return found;
}

t.test('what clients import brings nothing with it that a browser does not have', async (t) => {
  const files = importedBy(entry);
  t.ok(files.size > 10, `${files.size} files`);
  for (const [file, code] of files) {
    t.notMatch(code, /\b(?:Buffer|process|require|global|setImmediate)\b|node:/, file);
  }
});

t.test('and nothing in its types', async (t) => {
  const types = importedBy(new URL('index.d.ts', entry), (specifier) => specifier.replace(/\.js$/, '.d.ts'));
  t.ok(types.size > 5, `${types.size} files`);
  for (const [file, code] of types) t.notMatch(code, /\bBuffer\b|node:/, file);
});

t.test('it works where Node.js has taken its own away', async (t) => {
  const script = `
    for (const name of ['Buffer', 'process', 'global', 'setImmediate', 'clearImmediate']) delete globalThis[name];
    const { decodeClientFrame, decodeServerFrame, encodeClientFrame, encodeServerFrame, parseServerControl } =
      await import(${JSON.stringify(entry.href)});
    const data = new TextEncoder().encode('grüezi');
    const { to } = decodeClientFrame(
      encodeClientFrame({ kind: 'send', number: 1, binary: false, waitForClient: true, repeated: false, to: 'zoë', data }),
    );
    const { id } = decodeServerFrame(
      encodeServerFrame({ kind: 'message', seq: 1, id: 'm1', binary: false, data }),
    );
    const { type } = parseServerControl('{"type":"pong"}');
    console.log(typeof Buffer, typeof process, to, id, type);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  t.equal(stdout, 'undefined undefined zoë m1 pong\n');
});

t.test('it is the package’s second entry', async (t) => {
  t.equal(import.meta.resolve('@pinwheel/protocol/client'), entry.href);
});
