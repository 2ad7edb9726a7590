/** Absolute path of a program that tests or benches start; throws what to run when it is nowhere. */
export function toolPath(
  name: 'consul' | 'chromium' | 'redis-server' | 'nats-server' | 'haproxy' | 'nginx',
): string;
