/** What `pinwheel up --json` prints. */
export interface UpFacts {
  readonly membership: string;
  readonly edges: readonly { readonly id: string; readonly url: string; readonly admin: string }[];
  readonly nodes: readonly { readonly id: string; readonly url: string; readonly ws: string }[];
}
