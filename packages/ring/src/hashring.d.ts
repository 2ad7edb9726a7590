declare module 'hashring' {
  type Servers = Readonly<Record<string, { readonly vnodes: number }>>;

  export default class HashRing {
    constructor(
      servers: Servers,
      algorithm: string | ((label: string) => Buffer),
      options: { replicas?: number; 'vnode count'?: number; 'max cache size'?: number },
    );
    readonly ring: readonly { readonly value: number; readonly server: string }[];
    get(key: string): string | undefined;
  }
}
