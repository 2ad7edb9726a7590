import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pause } from '@pinwheel/bench/load/pause.js';
import { type Program, startProgram } from './program.js';

const command = fileURLToPath(new URL('../../packages/cli/bin/pinwheel.js', import.meta.url));
const onSignal = fileURLToPath(new URL('./on-signal.js', import.meta.url));
const collectMs = 300;
/** Those of its first line, with which a shell starts it. */
const ownFlags = readFileSync(command, 'utf8').split('\n', 1)[0]!.split(' node ')[1]!.split(' ');

/** `pinwheel node` or `pinwheel edge` as anybody would start it. */
export interface PinwheelProgram extends Program {
  /** Collects garbage; what V8 then gives back, it gives back in the seconds that follow. */
  collect(): Promise<void>;
  /** At once, without a word to anybody. */
  stop(): void;
}

/** @param words of the command line, without the port. */
export async function startPinwheelProgram(words: readonly string[], port: number): Promise<PinwheelProgram> {
  const flags = [...ownFlags, '--expose-gc', '--import', onSignal, ...profiling()];
  const args = [...flags, command, ...words, '--port', String(port), '--log-level', 'warn'];
  const program = await startProgram(process.execPath, args, port);
  return {
    ...program,
    async collect() {
      program.signal('SIGUSR2');
      await pause(collectMs);
    },
    stop: () => program.signal('SIGQUIT'),
  };
}

/** `PINWHEEL_BENCH_FLAGS='--cpu-prof --cpu-prof-dir=…'` profiles nodes and edges. */
function profiling(): readonly string[] {
  return process.env['PINWHEEL_BENCH_FLAGS']?.split(' ') ?? [];
}
