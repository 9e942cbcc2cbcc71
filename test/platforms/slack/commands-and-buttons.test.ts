import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { View } from '../../../src/core/types.ts';
import { ADA, answersTo, connect, fresh, GENERAL, questionAt, source, unpaced, view } from './setup.ts';

let connected: Awaited<ReturnType<typeof connect>>;
beforeEach(async () => {
  connected = await connect({ retryScale: 1 });
  await connected.app.listen(connected.intake, connected.researchCommands);
});
afterEach(() => connected.close());

const seenByAda = (): string[] => connected.server.ephemerals.map(({ text }) => text);

describe('/ask', () => {
  test('is stored, then acknowledged without a word', async () => {
    const { server, intake } = connected;
    server.command({ user: ADA, channel: GENERAL, command: '/ask', text: '--recent week why?' });
    await vi.waitFor(() => expect(server.unacked()).toEqual([]));
    expect(intake.questions).toMatchObject([
      { trigger: 'command', text: 'why?', overrides: { recency: 'week' } },
    ]);
    expect(seenByAda()).toEqual([]);
  });

  test('without text shows how it is used, to the asker alone', async () => {
    const { server, intake } = connected;
    server.command({ user: ADA, channel: GENERAL, command: '/ask', text: '' });
    await vi.waitFor(() => expect(seenByAda()).toEqual([expect.stringContaining('Write your question')]));
    expect(intake.calls).toBe(0);
  });

  test('with an unknown model shows the known ones', async () => {
    connected.server.command({ user: ADA, channel: GENERAL, command: '/ask', text: 'why? --model gpt' });
    await vi.waitFor(() => expect(seenByAda()).toEqual([expect.stringContaining('sonar-reasoning-pro')]));
  });

  test('that cannot be stored is acknowledged, and the asker is told', async () => {
    const { server, intake } = connected;
    intake.isBroken = true;
    server.command({ user: ADA, channel: GENERAL, command: '/ask', text: 'why?' });
    await vi.waitFor(() => expect(server.unacked()).toEqual([]));
    await vi.waitFor(() => expect(seenByAda()).toEqual([expect.stringContaining("couldn't take that")]));
  });

  test('is acknowledged in time while the store is slow', async () => {
    const { server, intake } = connected;
    const gate = Promise.withResolvers<void>();
    intake.gate = gate.promise;
    server.command({ user: ADA, channel: GENERAL, command: '/ask', text: 'why?' });
    await vi.waitFor(() => expect(server.acknowledged).toHaveLength(1), 3_500);
    expect(intake.questions).toEqual([]);
    gate.resolve();
    await vi.waitFor(() => expect(intake.questions).toHaveLength(1));
    expect(seenByAda()).toEqual([]);
  });
});

describe('/research', () => {
  test('is stored with its wish, then acknowledged without a word', async () => {
    const { server, intake } = connected;
    server.command({ user: ADA, channel: GENERAL, command: '/research', text: '--effort low why?' });
    await vi.waitFor(() => expect(server.unacked()).toEqual([]));
    const research = { effort: 'low', notify: 'here' };
    expect(intake.questions).toMatchObject([{ trigger: 'command', text: 'why?', research }]);
    expect(seenByAda()).toEqual([]);
  });

  test.each([
    ['', 'Write your question after the command: /research'],
    ['why? --model sonar', 'leave --model out'],
  ])('with %j says how it is used', async (text, said) => {
    const { server, intake } = connected;
    server.command({ user: ADA, channel: GENERAL, command: '/research', text });
    await vi.waitFor(() => expect(seenByAda()).toEqual([expect.stringContaining(said)]));
    expect(intake.calls).toBe(0);
  });
});

describe('/jobs', () => {
  const jobs = (text: string) =>
    connected.server.command({ user: ADA, channel: 'C00PRIVATE', command: '/jobs', text });

  test('is acknowledged at once and answered to the asker alone, also where the bot is no member', async () => {
    const { server, researchCommands } = connected;
    const gate = Promise.withResolvers<void>();
    researchCommands.gate = gate.promise;
    jobs('stop R-4F2K');
    await vi.waitFor(() => expect(server.acknowledged).toHaveLength(1));
    expect(seenByAda()).toEqual([]);
    gate.resolve();
    await vi.waitFor(() => expect(seenByAda()).toEqual(['R-4F2K · Researching &lt;3 min&gt;']));
    expect(researchCommands.requests).toMatchObject([{ action: 'stop', job: 'R-4F2K', person: { id: ADA } }]);
  });

  test('with anything else says how it is used', async () => {
    jobs('stop');
    await vi.waitFor(() => expect(seenByAda()).toEqual([expect.stringContaining('/jobs status R-…')]));
  });

  test('that cannot be answered says so', async () => {
    connected.researchCommands.isBroken = true;
    jobs('');
    await vi.waitFor(() => expect(seenByAda()).toEqual([expect.stringContaining("couldn't take that")]));
  });
});

describe('shortcuts and buttons', () => {
  test('"Ask about this" quotes the message it was used on', async () => {
    const { server, intake } = connected;
    const ts = server.otherBot({ channel: GENERAL, text: 'The build is green.' });
    server.shortcut({ user: ADA, channel: GENERAL, ts, callbackId: 'ask_about_message' });
    await vi.waitFor(() => expect(intake.questions).toHaveLength(1));
    expect(intake.questions).toMatchObject([
      {
        trigger: 'shortcut',
        thread: { thread: ts },
        quotes: [{ author: 'builds', text: 'The build is green.' }],
      },
    ]);
    await vi.waitFor(() => expect(server.unacked()).toEqual([]));
  });

  test('a pressed button reaches the intake, and its answer only the presser', async () => {
    const { server, intake, app } = connected;
    intake.reply = { type: 'text', text: 'Only grace can do that.' };
    const question = { ...askedBy(server), id: 'the-question' };
    const start = { messages: [], attempt: 1, posted: async () => {}, isTaken: async () => false };
    const reply = unpaced(app.platform, question, start);
    const buttons = [{ action: 'retry', label: 'Retry', question: question.id }] as const;
    await reply.show(failed(buttons));
    const ts = server.history(GENERAL, question.thread?.thread).find((message) => message.bot)?.ts ?? '';
    server.press({ user: ADA, channel: GENERAL, ts, actionId: 'footnote:retry' });
    await vi.waitFor(() => expect(seenByAda()).toEqual(['Only grace can do that.']));
    expect(intake.presses).toMatchObject([
      { action: 'retry', question: 'the-question', presser: { id: ADA } },
    ]);
    expect(server.unacked().filter(({ type }) => type === 'interactive')).toEqual([]);
    await reply.close();
  });

  test.each(['stop', 'research'] as const)(
    "a card's or answer's button reaches the intake: %s",
    async (action) => {
      const { server, intake, app } = connected;
      const question = askedBy(server);
      const shown = view({
        state: 'done',
        text: 'x',
        buttons: [{ action, label: 'It', question: question.id }],
      });
      const { card } = await app.platform.showCard({
        question,
        card: null,
        view: shown,
        urgency: 'final',
        isRepeat: false,
      });
      const actionId = `footnote:${action}`;
      server.press({ user: ADA, channel: GENERAL, ts: card.message, actionId });
      await vi.waitFor(() => expect(intake.presses).toMatchObject([{ action, question: question.id }]));
    },
  );
});

test('120 sources reach the presser in as many messages as a response_url takes', async () => {
  const { server, intake, app } = connected;
  const sources = Array.from({ length: 120 }, (_, index) => ({
    ...source(index + 1),
    url: `https://site${index}.example.org/${'path/'.repeat(20)}`,
    snippet: `What page ${index} says about it. `.repeat(20),
  }));
  intake.reply = { type: 'sources', sources };
  const question = askedBy(server);
  const reply = unpaced(app.platform, question, fresh().start);
  const buttons = [{ action: 'sources', label: 'All 120 sources', question: question.id }] as const;
  await reply.show(view({ state: 'done', text: 'An answer.', sources, buttons }));
  const [answer] = answersTo(server, question);
  server.press({ user: ADA, channel: GENERAL, ts: answer?.ts ?? '', actionId: 'footnote:sources' });
  const shown = (): string => server.ephemerals.map(({ blocks }) => JSON.stringify(blocks)).join('\n');
  await vi.waitFor(() => expect(shown()).toContain('120 · [Page 120]'));
  for (const { number } of sources) expect(shown()).toContain(`${number} · [Page ${number}]`);
  expect(shown()).toContain('What page 119 says');
  expect(server.ephemerals.length).toBeLessThanOrEqual(5);
  await reply.close();
});

function askedBy(server: typeof connected.server) {
  return questionAt(server.team, GENERAL, server.say({ user: ADA, channel: GENERAL, text: 'why?' }));
}

function failed(buttons: View['buttons']): View {
  return view({ state: 'failed', notices: ['That did not work.'], buttons });
}
