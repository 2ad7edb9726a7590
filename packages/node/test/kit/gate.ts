/** Holds up an application until the test lets it go on. */
export class Gate {
  open = (): void => {};

  /** Resolves at the next `open`. */
  opens(): Promise<void> {
    return new Promise((resolve) => {
      this.open = resolve;
    });
  }
}
