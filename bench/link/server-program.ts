import { toolPath } from '../../test/tools/fetch.js';
import { startProgram } from './program.js';
import type { RunningProxy } from './proxy.js';

/** A proxy that is somebody else's. */
export async function startServerProgram(
  name: 'haproxy' | 'nginx',
  args: readonly string[],
  port: number,
): Promise<RunningProxy> {
  const program = await startProgram(toolPath(name), args, port);
  return { ...program, collect: async () => {}, stop: () => program.signal('SIGTERM') };
}
