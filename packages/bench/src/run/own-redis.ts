import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { PinwheelError } from '@pinwheel/protocol';
import { Redis } from 'ioredis';
import { freePort } from '../load/free-ports.js';
import { type Program, startProgram } from './program.js';

/** The Redis of a bench, and what it says of itself. */
export interface BenchRedis {
  readonly url: string;
  /** For example `redis 7.0.15`. */
  readonly version: string;
  /** CPU time that it has taken so far, in µs, and resident memory in bytes. */
  usage(): Promise<{ readonly cpuMicros: number; readonly memoryBytes: number }>;
  stop(): Promise<void>;
}

const startMs = 5000;

/** Where `redis-server` is, if it is installed. */
export function findRedisServer(path: string = process.env['PATH'] ?? ''): string | undefined {
  return [...path.split(delimiter), '/usr/sbin', '/usr/local/bin']
    .map((folder) => join(folder, 'redis-server'))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Starts one that keeps nothing on disk, on a free port. */
export async function startOwnRedis(program: string): Promise<BenchRedis> {
  const port = await freePort();
  const words = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const running = startProgram(program, words);
  const url = `redis://127.0.0.1:${port}`;
  try {
    return await connectTo(url, running);
  } catch (thrown) {
    await running.kill();
    throw thrown;
  }
}

/** @throws PinwheelError (rejects) `unavailable` when nobody answers there within five seconds. */
export async function connectTo(url: string, program?: Program): Promise<BenchRedis> {
  const redis = new Redis(url, { connectTimeout: 1000, retryStrategy: () => 50, maxRetriesPerRequest: null });
  let lastError: Error | undefined;
  redis.on('error', (error) => {
    lastError = error;
  });
  let timer: NodeJS.Timeout | undefined;
  // a command that waits for a connection is not told that there will be none
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${startMs} ms`)), startMs);
  });
  try {
    const version = fieldOf(await Promise.race([redis.info('server'), late]), 'redis_version');
    return {
      url,
      version: `redis ${version}`,
      async usage() {
        const cpu = await redis.info('cpu');
        const memory = await redis.info('memory');
        const seconds = numberOf(cpu, 'used_cpu_sys') + numberOf(cpu, 'used_cpu_user');
        return { cpuMicros: seconds * 1e6, memoryBytes: numberOf(memory, 'used_memory_rss') };
      },
      async stop() {
        redis.disconnect();
        await program?.kill();
      },
    };
  } catch (cause) {
    redis.disconnect();
    const { host, port } = redis.options;
    const why = lastError?.message ?? (cause as Error).message;
    throw new PinwheelError('unavailable', `no Redis answers at ${host}:${port}: ${why}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** @throws Error when it does not say so much, as some that only speak its protocol. */
function numberOf(info: string, name: string): number {
  const text = fieldOf(info, name);
  if (text === '') throw new Error(`the Redis does not say ${name} in INFO: give one that does with --redis`);
  return Number(text);
}

function fieldOf(info: string, name: string): string {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
}
