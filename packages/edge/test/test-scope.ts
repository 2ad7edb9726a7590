/** What a situation needs of the test that it is for. */
export interface TestScope {
  /** Runs when the test is over. */
  teardown(end: () => Promise<void>): unknown;
}
