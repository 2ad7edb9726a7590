#!/usr/bin/env -S node --v8-pool-size=1 --initial-heap-size=64 --max-semi-space-size=4
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) {
  const { run } = await import(main.href);
  await run(process.argv.slice(2));
  // what an application has under way has a moment more; what it leaves open, such as a timer, keeps no process up
  setTimeout(() => process.exit(), 2000).unref();
} else {
  process.stderr.write('pinwheel is not built yet; run: npm run build\n');
  process.exitCode = 1;
}
