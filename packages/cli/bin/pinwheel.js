#!/usr/bin/env -S node --v8-pool-size=1 --initial-heap-size=64
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) {
  const { run } = await import(main.href);
  await run(process.argv.slice(2));
} else {
  process.stderr.write('pinwheel is not built yet; run: npm run build\n');
  process.exitCode = 1;
}
