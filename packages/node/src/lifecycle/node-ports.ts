/** Where a node listens; 0 before it does. */
export interface NodePorts {
  readonly port: number;
  readonly wsPort: number;
  /** `undefined` when operators have no port of their own. */
  readonly adminPort: number | undefined;
}
