/** What a child says when a question has failed. */
export interface Failure {
  readonly failure: string;
}

export function isFailure(said: unknown): said is Failure {
  return typeof (said as Partial<Failure> | null | undefined)?.failure === 'string';
}

/** Answers the questions of the process that has forked this one, which ends with it. */
export function answerParent<Question>(answer: (question: Question) => Promise<unknown>): void {
  process.on('message', (question: Question) => {
    void answer(question).then(
      (said) => process.send?.(said),
      (thrown: unknown) => process.send?.({ failure: (thrown as Error).message } satisfies Failure),
    );
  });
  process.once('disconnect', () => process.exit());
  process.send?.('started');
}
