import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Question, View } from '../../../src/core/types.ts';
import type { SlackServer } from '../../servers/slack/server.ts';
import { ADA, answersTo, askIn, connect, failureOf, fresh, GENERAL, source, unpaced, view } from './setup.ts';

let connected: Awaited<ReturnType<typeof connect>>;
let server: SlackServer;
beforeEach(async () => {
  connected = await connect();
  server = connected.server;
});
afterEach(() => connected.close());

const now = new AbortController().signal;

/** Shows views one after the other, as the core does; progress waits for its turn. */
async function showAll(question: Question, views: readonly View[], attempt = fresh()) {
  const reply = connected.app.platform.reply(question, attempt.start);
  await reply.open();
  for (const next of views) await reply.show(() => next, now);
  await reply.close();
  return attempt.recorded;
}

const methods = (prefix = 'chat.'): string[] =>
  server.calls
    .filter(({ method }) => method.startsWith(prefix))
    .map(({ method }) => method.slice(prefix.length));

describe('a streamed answer', () => {
  test('begins with its first words, although the first of them alone has to be held back', async () => {
    const reply = connected.app.platform.reply(askIn(server), fresh().start);
    await reply.show(() => view({ text: 'Because ' }), now);
    expect(methods()).toEqual([]);
    void reply.show(() => view({ text: 'Because of ' }), now);
    // Without a message to write to, the next try would be two seconds later.
    await vi.waitFor(() => expect(methods()).toEqual(['startStream']), { timeout: 1_000 });
    await reply.close();
  });

  test('grows in one message, appending only what is new, and ends with sources, footer and buttons', async () => {
    const question = askIn(server);
    const sources = [source(1), source(2)];
    const recorded = await showAll(question, [
      view({ text: 'One two ', sources }),
      view({ text: 'One two three [1] ', sources }),
      view({ text: 'One two three [1] four. ', sources }),
      view({
        state: 'done',
        text: 'One two three [1] four. Five.',
        sources,
        footer: 'sonar · 2 sources',
        buttons: [{ action: 'retry', label: 'Retry', question: question.id }],
      }),
    ]);
    expect(methods()).toEqual(['startStream', 'appendStream', 'appendStream', 'stopStream']);
    const [answer] = answersTo(server, question);
    expect(answer?.streaming).toBe(false);
    expect(answer?.text).toContain('One two three [1](https://example.org/1) four. Five.');
    expect(answer?.text).toContain('Page 1');
    expect(answer?.text).not.toContain('Page 2');
    expect(answer?.text).toContain('sonar · 2 sources');
    expect(answer?.text).toContain('[Retry]');
    expect(answer?.metadata).toMatchObject({ event_payload: { question: question.id, part: 0 } });
    expect(recorded.messages.map(({ message }) => message)).toEqual([answer?.ts]);
    expect(server.calls.find(({ method }) => method === 'chat.startStream')?.args).toMatchObject({
      recipient_user_id: ADA,
      recipient_team_id: server.team,
    });
  });

  test('shows at least three steps, the first at once', async () => {
    const question = askIn(server);
    const seen = new Set<string>();
    server.onChange(() => {
      const text = answersTo(server, question)[0]?.text;
      if (text) seen.add(text);
    });
    const words = 'alpha beta gamma delta epsilon zeta '.repeat(4);
    await showAll(question, [
      ...[30, 60, 90].map((end) => view({ text: words.slice(0, end) })),
      view({ state: 'done', text: words }),
    ]);
    expect(seen.size).toBeGreaterThanOrEqual(4);
  });

  test('longer than one message goes on in the next, complete and in order', async () => {
    const question = askIn(server);
    const text = Array.from({ length: 300 }, (_, i) => `Paragraph ${i} ${'word '.repeat(18)}\n\n`).join('');
    const cut = [0.2, 0.5, 0.8].map((share) =>
      view({ text: text.slice(0, Math.round(text.length * share)) }),
    );
    const recorded = await showAll(question, [...cut, view({ state: 'done', text, footer: 'the end' })]);
    const answers = answersTo(server, question);
    expect(answers.length).toBeGreaterThan(2);
    expect(recorded.messages.map(({ message }) => message)).toEqual(answers.map(({ ts }) => ts));
    const numbers = answers.flatMap((answer) =>
      [...answer.text.matchAll(/Paragraph (\d+)/g)].map((match) => Number(match[1])),
    );
    expect(numbers).toEqual(Array.from({ length: 300 }, (_, i) => i));
    expect(answers.filter((answer) => answer.text.includes('the end'))).toEqual([answers.at(-1)]);
    expect(answers.every((answer) => !answer.streaming && answer.text.length <= 12_000)).toBe(true);
  });

  test('whose sources come late gets its links by one rewrite after the end', async () => {
    const question = askIn(server);
    await showAll(question, [
      view({ text: 'Fact [1] and ' }),
      view({ text: 'Fact [1] and more [2] ' }),
      view({ state: 'done', text: 'Fact [1] and more [2] here.', sources: [source(1), source(2)] }),
    ]);
    expect(methods()).toEqual(['startStream', 'appendStream', 'stopStream', 'update']);
    const [answer] = answersTo(server, question);
    expect(answer?.text).toContain(
      'Fact [1](https://example.org/1) and more [2](https://example.org/2) here.',
    );
    expect(answer?.text).toContain('Page 2');
  });

  test('too old for its stream goes on in a new message', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const question = askIn(server);
    const reply = unpaced(connected.app.platform, question, fresh().start);
    await reply.open();
    await reply.show(view({ text: 'The beginning. ' }));
    vi.advanceTimersByTime(4.1 * 60_000);
    await reply.show(view({ text: 'The beginning. Then the middle. ' }));
    await reply.show(view({ state: 'done', text: 'The beginning. Then the middle. And the end.' }));
    await reply.close();
    vi.useRealTimers();
    expect(methods()).toEqual(['startStream', 'stopStream', 'startStream', 'stopStream']);
    expect(answersTo(server, question).map(({ text }) => text)).toEqual([
      'The beginning.',
      'Then the middle. And the end.',
    ]);
  });
});

describe('an answer that is there at once', () => {
  test('is one post, without previews, with a plain text for notifications', async () => {
    const question = askIn(server);
    await showAll(question, [view({ state: 'done', text: '**Yes** <!channel>', sources: [] })]);
    expect(methods()).toEqual(['postMessage']);
    expect(server.calls.at(-1)?.args).toMatchObject({ unfurl_links: false, unfurl_media: false });
    const [answer] = answersTo(server, question);
    expect(answer?.text).toContain('**Yes**');
    expect(answer?.text).not.toContain('<!channel>');
    expect(answer?.fallback).toMatch(/^Yes/);
    expect(answer?.fallback).not.toContain('<!channel>');
  });

  test('keeps its notices and sources however many links it has', async () => {
    const question = askIn(server);
    const sources = Array.from({ length: 9 }, (_, i) => ({
      ...source(i + 1),
      url: `https://example.org/${'x'.repeat(90)}${i}`,
    }));
    const text = Array.from({ length: 180 }, (_, i) => `Fact ${i} [${(i % 9) + 1}].`).join(' ');
    await showAll(question, [view({ text }), view({ state: 'done', text, sources, notices: ['⚠ Cut off'] })]);
    const answers = answersTo(server, question);
    expect(answers.at(-1)?.text).toContain('⚠ Cut off');
    expect(answers.at(-1)?.text).toContain('Page 1');
    expect(answers.every((answer) => answer.text.length <= 12_000)).toBe(true);
  });

  test('that failed shows its notices as the message', async () => {
    const question = askIn(server);
    const notices = ['Not read: <@U000000ADA>.pdf', 'Perplexity is busy. E-7K2M'];
    await showAll(question, [view({ state: 'failed', notices })]);
    const [answer] = answersTo(server, question);
    expect(answer?.text).toContain('Perplexity is busy. E-7K2M');
    expect(answer?.text).not.toContain('<@U000000ADA>');
  });

  test('replaces what was streamed when the answer is cut off, keeping the text', async () => {
    const question = askIn(server);
    await showAll(question, [
      view({ text: 'Half an ' }),
      view({ state: 'failed', text: 'Half an answer', notices: ['⚠ Cut off'] }),
    ]);
    expect(answersTo(server, question).map(({ text }) => text)).toEqual(['Half an answer\n⚠ Cut off']);
  });
});

describe('the status', () => {
  test('is shown while there is no text, and taken down at the end', async () => {
    const question = askIn(server);
    const thread = question.thread?.thread ?? '';
    const reply = unpaced(connected.app.platform, question, fresh().start);
    await reply.show(view({ state: 'searching', status: 'is searching the web…' }));
    await vi.waitFor(() => expect(server.status(GENERAL, thread)).toBe('is searching the web…'));
    await reply.close();
    expect(server.status(GENERAL, thread)).toBe('');
    expect(methods()).toEqual([]);
  });

  test.each(['missing_scope', 'channel_type_not_supported'])(
    'becomes 👀 on the question after %s',
    async (error) => {
      server.fault('assistant.threads.setStatus', { error }, 5);
      const question = askIn(server);
      const eyes = () =>
        server.history(GENERAL, question.thread?.thread)[0]?.reactions.map(({ name }) => name);
      const reply = unpaced(connected.app.platform, question, fresh().start);
      await reply.show(view({ state: 'searching', status: 'is searching the web…' }));
      await vi.waitFor(() => expect(eyes()).toEqual(['eyes']));
      await reply.close();
      expect(eyes()).toEqual([]);
    },
  );
});

describe('beside an answer', () => {
  const searching = view({ state: 'searching', status: 'is searching the web…' });
  const sessions = () =>
    server.statuses
      .filter(({ method }) => method === 'agents.sessions.setStatus')
      .map(({ status }) => status);

  test('the session ends with the stream, and the status with its first words: no call is made for them', async () => {
    const question = askIn(server);
    const thread = question.thread?.thread ?? '';
    const reply = unpaced(connected.app.platform, question, fresh().start);
    await reply.show(searching);
    await vi.waitFor(() => expect(server.status(GENERAL, thread)).toBe('is searching the web…'));
    await reply.show(view({ text: 'Half of ' }));
    await reply.show(view({ state: 'done', text: 'Half of [1].', sources: [source(1)] }));
    expect(sessions()).toEqual(['processing', 'active']);
    await reply.close();
    expect(server.status(GENERAL, thread)).toBe('');
    expect(sessions()).toEqual(['processing', 'active']);
    expect(methods('agents.sessions.')).toEqual(['setStatus']);
    expect(methods('assistant.threads.')).toEqual(['setStatus']);
  });

  test('a status that comes behind the first words is taken down all the same', async () => {
    const question = askIn(server);
    const thread = question.thread?.thread ?? '';
    const reply = unpaced(connected.app.platform, question, fresh().start);
    server.fault('assistant.threads.setStatus', { slowMs: 100 });
    await reply.show(searching);
    await reply.show(view({ text: 'Half ' }));
    await vi.waitFor(() => expect(server.status(GENERAL, thread)).toBe('is searching the web…'));
    await reply.show(view({ state: 'done', text: 'Half.' }));
    await reply.close();
    expect(server.status(GENERAL, thread)).toBe('');
    expect(sessions().at(-1)).toBe('active');
  });

  test('the session of an answer that was never streamed ends by a call of its own', async () => {
    const reply = unpaced(connected.app.platform, askIn(server), fresh().start);
    await reply.show(searching);
    await vi.waitFor(() => expect(sessions()).toEqual(['processing']));
    await reply.show(view({ state: 'done', text: 'At once.' }));
    await reply.close();
    expect(methods()).toEqual(['postMessage']);
    expect(sessions()).toEqual(['processing', 'active']);
  });
});

describe('/ask', () => {
  const command = (text = 'why <!channel>?'): Question => {
    const { thread: _thread, message: _message, ...question } = askIn(server, 'unrelated');
    return {
      ...question,
      id: 'command-1',
      thread: null,
      message: null,
      trigger: 'command',
      text,
      askedAt: Date.now(),
    };
  };

  test('posts the question as the root of the thread, inert, and answers there', async () => {
    const question = command();
    await showAll(question, [view({ state: 'done', text: 'Because.' })]);
    const [, root, answer] = server.history(GENERAL);
    expect(root?.text).toContain(`Question by <@${ADA}>`);
    expect(root?.text).toContain('why');
    expect(root?.text).not.toContain('<!channel>');
    expect(answer).toMatchObject({ threadTs: root?.ts, text: expect.stringContaining('Because.') });
  });

  test('uses the root that an earlier attempt posted', async () => {
    const question = command();
    const first = await unpaced(connected.app.platform, question, fresh().start).open();
    const second = await unpaced(connected.app.platform, question, fresh(2).start).open();
    expect(second).toEqual(first);
    expect(methods()).toEqual(['postMessage']);
  });

  test('finds the root whose post was never answered', async () => {
    server.fault('chat.postMessage', 'commit-then-reset');
    const thread = await unpaced(connected.app.platform, command(), fresh().start).open();
    expect(
      server
        .history(GENERAL)
        .filter(({ bot }) => bot)
        .map(({ ts }) => ts),
    ).toEqual([thread.thread]);
  });

  test('closing never fails, even when the thread cannot be opened', async () => {
    const reply = unpaced(connected.app.platform, { ...command(), channel: 'C00PRIVATE' }, fresh().start);
    expect((await failureOf(reply.open())).kind).toBe('undeliverable');
    await reply.close();
  });

  test('says what to do where the bot is no member', async () => {
    const question = { ...command(), channel: 'C00PRIVATE' };
    const failure = await failureOf(unpaced(connected.app.platform, question, fresh().start).open());
    expect(failure).toMatchObject({ kind: 'undeliverable', remedy: expect.stringContaining('Invite me') });
  });
});
