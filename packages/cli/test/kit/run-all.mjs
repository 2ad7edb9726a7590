// Command lines that end by themselves, one after the other in one process: argv[2] is JSON with their words. To start a
// process for each takes half a second of a processor. Prints what became of each.
import { run } from '../../dist/main.js';

const print = process.stdout.write.bind(process.stdout);
process.stdout.setMaxListeners(0);
const ran = [];
for (const words of JSON.parse(process.argv[2])) {
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    process[name].write = (text) => {
      said[name] += text;
      return true;
    };
  }
  process.exitCode = 0;
  await run(words);
  ran.push({ code: process.exitCode, ...said });
}
process.exitCode = 0;
print(JSON.stringify(ran));
