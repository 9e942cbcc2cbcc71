/** The bare `openai` loop with no platform: what reading the answers costs when nothing is done with them. */
import { serve, watchLoop } from '../child.ts';
import { now } from '../clock.ts';
import type { SeenAnswer } from '../platform.ts';
import { type BenchQuestion, questionText } from '../words.ts';
import { createClient, streamText } from './model-loop.ts';

const [url = ''] = process.argv.slice(2);
const client = createClient(url);
const loop = watchLoop();
let answers: SeenAnswer[] = [];

async function ask(question: BenchQuestion): Promise<void> {
  const askedAt = now();
  await streamText(client, questionText(question), () => undefined);
  answers.push({
    n: question.n,
    tokens: question.tokens,
    askedAt,
    steps: [{ at: now(), words: question.tokens }],
    isWhole: true,
  });
}

const handlers = {
  /** Resolves when the process is ready to ask. */
  ready: (): boolean => true,
  run({ questions, overMs }: { questions: readonly BenchQuestion[]; overMs: number }): void {
    answers = [];
    loop();
    questions.forEach((question, i) => {
      setTimeout(() => void ask(question), (overMs * i) / questions.length);
    });
  },
  collect: () => ({ answers, loop: loop() }),
};

export type BareHandlers = typeof handlers;
serve(handlers);
