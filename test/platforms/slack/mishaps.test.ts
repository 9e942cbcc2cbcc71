import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Failure } from '../../../src/core/failures.ts';
import type { Platform, ReplyStart } from '../../../src/core/ports.ts';
import { isRetryable } from '../../../src/core/retry.ts';
import type { Question, View } from '../../../src/core/types.ts';
import { type SlackServer, startSlackServer } from '../../servers/slack/server.ts';
import type { Fault } from '../../servers/slack/types.ts';
import { answersTo, askIn, openApp, unpaced, view } from './setup.ts';

/** Raise it for a long run. */
const RUNS = Number(process.env.FOOTNOTE_MISHAP_RUNS ?? 30);
const SEED = Number(process.env.FOOTNOTE_MISHAP_SEED ?? 7);

let server: SlackServer;
beforeAll(async () => {
  server = await startSlackServer();
});
afterAll(() => server.close());

/** Those that Slack cannot be asked twice are there more often. */
const METHODS = [
  'chat.startStream',
  'chat.startStream',
  'chat.postMessage',
  'chat.postMessage',
  'chat.appendStream',
  'chat.stopStream',
  'chat.update',
  'chat.postMessage',
  'chat.delete',
  'conversations.replies',
];
/** What can happen to any call, and twice in a row. */
const ACCIDENTS: readonly Fault[] = [
  'commit-then-reset',
  'reset-before',
  'commit-then-reset',
  'commit-then-500',
  'html',
  { status: 500 },
  { error: 'internal_error' },
];
/** What Slack really refuses, where it does. */
const REFUSALS: readonly (readonly [string, string])[] = [
  ['chat.startStream', 'missing_recipient_team_id'],
  ['chat.appendStream', 'message_not_in_streaming_state'],
  ['chat.appendStream', 'msg_too_long'],
  ['chat.stopStream', 'message_not_in_streaming_state'],
  ['chat.stopStream', 'msg_too_long'],
  ['chat.stopStream', 'invalid_blocks'],
  ['chat.update', 'streaming_state_conflict'],
  ['chat.update', 'msg_too_long'],
  ['chat.update', 'invalid_blocks'],
  ['chat.postMessage', 'msg_blocks_too_long'],
  ['chat.postMessage', 'invalid_blocks'],
];

const mishap = fc.oneof(
  fc.record({
    method: fc.constantFrom(...METHODS),
    fault: fc.constantFrom(...ACCIDENTS),
    times: fc.integer({ min: 1, max: 2 }),
  }),
  fc.constantFrom(...REFUSALS).map(([method, error]) => ({ method, fault: { error } as Fault, times: 1 })),
);
/** The steps of one answer, as percentages of its text, with what goes wrong before each and where the process dies. */
const story = fc.record({
  paragraphs: fc.integer({ min: 1, max: 60 }),
  steps: fc.array(
    fc.record({
      percent: fc.integer({ min: 0, max: 100 }),
      mishaps: fc.array(mishap, { maxLength: 1 }),
    }),
    {
      maxLength: 5,
    },
  ),
  last: fc.array(mishap, { maxLength: 2 }),
  /** Without native streams, everything is posts and edits. */
  hasStreams: fc.boolean(),
  diesAt: fc.option(fc.integer({ min: 0, max: 4 })),
});

interface Mishap {
  readonly method: string;
  readonly fault: Fault;
  readonly times: number;
}
const NO_STREAMS: Mishap = { method: 'chat.startStream', fault: { error: 'unknown_method' }, times: 99 };

class Killed extends Error {}

test('whatever goes wrong on the way, and wherever the process dies, the answer stands there whole and once', {
  timeout: 600_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(story, async ({ paragraphs, steps, last, hasStreams, diesAt }) => {
      const question = askIn(server, '@footnote why?', 'D000000ADA');
      const text = Array.from({ length: paragraphs }, (_, i) => `Paragraph ${i} ${'word '.repeat(60)}`).join(
        '\n\n',
      );
      const shares = steps.map(({ percent }) => percent / 100).sort((a, b) => a - b);
      const views = shares.map((share) => view({ text: text.slice(0, Math.round(text.length * share)) }));
      const mishaps = [...steps.map((step) => step.mishaps), last];
      const streamless: Mishap[] = hasStreams ? [] : [NO_STREAMS];
      mishaps[0] = [...streamless, ...(mishaps[0] ?? [])];
      let recorded: Parameters<ReplyStart['posted']>[0] = [];
      const attempt = async (number: number, diesAfter: number | null): Promise<void> => {
        let posts = 0;
        const start: ReplyStart = {
          attempt: number,
          messages: recorded,
          isTaken: async () => false,
          posted: async (refs) => {
            if (posts++ === diesAfter) throw new Killed();
            recorded = refs;
          },
        };
        const app = await openApp(server);
        await write(
          app.platform,
          question,
          start,
          [...views, view({ state: 'done', text, footer: 'the end' })],
          mishaps,
        );
      };
      try {
        await attempt(1, diesAt);
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
        await attempt(2, null);
      }
      server.clearFaults();

      const answers = answersTo(server, question);
      const numbers = answers.flatMap((answer) =>
        [...answer.text.matchAll(/Paragraph (\d+)/g)].map((match) => Number(match[1])),
      );
      expect(numbers).toEqual(Array.from({ length: paragraphs }, (_, i) => i));
      expect(answers.filter(({ streaming }) => streaming)).toEqual([]);
      expect(answers.map((answer) => answer.text.includes('the end'))).toEqual(
        answers.map((_, i) => i === answers.length - 1),
      );
      expect(recorded.map(({ message }) => message)).toEqual(answers.map(({ ts }) => ts));
    }),
    { numRuns: RUNS, seed: SEED, endOnFailure: true },
  );
});

async function write(
  platform: Platform,
  question: Question,
  start: ReplyStart,
  views: readonly View[],
  mishaps: readonly (readonly Mishap[])[],
): Promise<void> {
  const reply = unpaced(platform, question, start);
  try {
    for (const [index, next] of views.entries()) {
      server.clearFaults();
      for (const { method, fault, times } of mishaps[index] ?? []) server.fault(method, fault, times);
      await showPatiently(reply, next);
    }
  } finally {
    await reply.close();
  }
}

/** As the core does: what could not be shown for now is shown again. */
async function showPatiently(reply: ReturnType<typeof unpaced>, next: View): Promise<void> {
  for (;;) {
    try {
      return await reply.show(next);
    } catch (error) {
      if (!(error instanceof Failure) || !isRetryable(error)) throw error;
    }
  }
}
