import { answerParent } from '../../src/load/answer-parent.js';

answerParent(async (question: string) => {
  if (question === 'no') throw new Error('it cannot say no');
  return question;
});
