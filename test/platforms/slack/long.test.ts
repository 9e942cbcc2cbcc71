import { afterEach, describe, expect, test, vi } from 'vitest';
import { startLiveReply } from '../../../src/core/answering/live-reply.ts';
import { fencesClosed } from '../../markdown/reader.ts';
import type { Fault } from '../../servers/slack/types.ts';
import { silentLog } from './log.ts';
import { answersTo, askIn, connect, fresh, source, view } from './setup.ts';

let connected: Awaited<ReturnType<typeof connect>>;
afterEach(async () => {
  vi.useRealTimers();
  await connected.close();
});

const now = new AbortController().signal;
const sources = [source(1), source(2)];

/** Numbered words of some 30,000 characters, in paragraphs, lists and code that does not fit into one message. */
const WORDS = 3_000;
const TEXT = Array.from({ length: WORDS }, (_, i) => {
  if (i % 400 === 0) return `\n\n## Section w${i}\n\n`;
  if (i % 400 === 150) return `\n\n\`\`\`ts\nw${i}();\n`;
  if (i % 400 > 150 && i % 400 < 270) return `w${i}();\n`;
  if (i % 400 === 270) return `w${i}();\n\`\`\`\n\n`;
  return i % 40 === 0 ? `- point w${i} [1]\n` : `word w${i} `;
}).join('');

function expectWhole(question: ReturnType<typeof askIn>): void {
  const answers = answersTo(connected.server, question);
  const numbers = answers.flatMap(({ text }) =>
    [...text.matchAll(/w(\d+)/g)].map((found) => Number(found[1])),
  );
  expect(numbers).toEqual(Array.from({ length: WORDS }, (_, i) => i));
  for (const { text, streaming } of answers) {
    expect(streaming).toBe(false);
    expect(text.length).toBeLessThanOrEqual(12_000);
    expect(fencesClosed(text)).toBe(true);
  }
  expect(answers.map(({ text }) => text.includes('the end'))).toEqual(
    answers.map((_, i) => i === answers.length - 1),
  );
}

describe('an answer of 30,000 characters', () => {
  test('that streams for eleven minutes is whole, in streams that end before Slack ends them', async () => {
    expect(TEXT.length).toBeGreaterThan(28_000);
    vi.useFakeTimers({ toFake: ['performance', 'Date'] });
    connected = await connect({ limits: 'real' });
    const { server, app } = connected;
    const question = askIn(server);
    const reply = app.platform.reply(question, fresh().start);
    await reply.open();
    const steps = 132;
    for (let step = 1; step <= steps; step += 1) {
      // Slow at first: streams get too old before they are full, and full before they are too old.
      const text = TEXT.slice(0, Math.round(TEXT.length * (step / steps) ** 3));
      await reply.show(() => view({ text, sources }), now);
      vi.advanceTimersByTime(5_000);
    }
    await reply.show(() => view({ state: 'done', text: TEXT, sources, footer: 'the end' }), now);
    await reply.close();
    expectWhole(question);
    expect(server.calls.filter(({ result }) => result !== 'ok')).toEqual([]);
    expect(server.calls.filter(({ method }) => method === 'chat.update')).toEqual([]);
    expect(answersTo(server, question).length).toBeGreaterThanOrEqual(4);
  });

  /** Real calls while the clock of all waiting runs a hundred times faster. */
  const written = async (fault: Fault) => {
    const realInterval = setInterval;
    connected = await connect({ limits: 'real' });
    const { server, app } = connected;
    server.fault('*', fault, Number.POSITIVE_INFINITY, 3);
    const question = askIn(server);
    vi.useFakeTimers({ toFake: ['performance', 'Date', 'setTimeout', 'clearTimeout'] });
    const clock = realInterval(() => vi.advanceTimersByTime(500), 5);
    try {
      const reply = app.platform.reply(question, fresh().start);
      const live = startLiveReply({ reply, open: reply.open, log: silentLog, signal: now, lost: () => {} });
      for (let end = 0; end < TEXT.length; end += 600) {
        live.update(view({ text: TEXT.slice(0, end), sources }));
        await new Promise((resolve) => setTimeout(resolve, 2_000));
      }
      await live.finish(view({ state: 'done', text: TEXT, sources, footer: 'the end' }));
      server.clearFaults();
      await reply.close();
    } finally {
      clearInterval(clock);
    }
    expectWhole(question);
    return server;
  };

  test.each<Fault>(['reset-before', 'commit-then-reset', 'commit-then-500', 'html', { status: 503 }])(
    'is whole when every third call ends in %j',
    async (fault) => {
      await written(fault);
    },
    60_000,
  );

  test('is whole when every third call is refused for 30 s, and no call is made meanwhile', async () => {
    const server = await written({ status: 429, retryAfter: 30 });
    expect(server.calls.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(3);
    expect(server.calls.filter(({ insideRetryAfter }) => insideRetryAfter)).toEqual([]);
  }, 60_000);
});
