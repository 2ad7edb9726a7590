#!/usr/bin/env -S node --v8-pool-size=1 --initial-heap-size=64
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) {
  const { run } = await import(main.href);
  await run(process.argv.slice(2));
  const written = (stream) => new Promise((resolve) => stream.write('', resolve));
  await Promise.all([written(process.stdout), written(process.stderr)]);
  // what an application leaves open, such as a timer, keeps no process up that is done
  process.exit();
} else {
  process.stderr.write('pinwheel is not built yet; run: npm run build\n');
  process.exitCode = 1;
}
