import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Question, View } from '../../../src/core/types.ts';
import type { SlackServer } from '../../servers/slack/server.ts';
import { answersTo, askIn, connect, fresh, source, view } from './setup.ts';

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

describe('the search', () => {
  const step = (question: Question) => answersTo(server, question)[0]?.tasks;
  const found = Array.from({ length: 9 }, (_, i) => source(i + 1));
  const shown = found.map(({ url, title }) => ({ url, text: title }));

  test('is a step of the stream, above its first words', async () => {
    const question = askIn(server);
    await showAll(question, [
      view({ text: 'One two ', sources: found }),
      view({ text: 'One two three ', sources: found }),
      view({ state: 'done', text: 'One two three four.', sources: found }),
    ]);
    expect(methods()).toEqual(['startStream', 'appendStream', 'stopStream']);
    expect(step(question)).toEqual([
      { id: 'search', title: 'Searched the web — 9 sources', status: 'complete', sources: shown },
    ]);
    expect(server.calls.map(({ args }) => Array.isArray(args.chunks)).filter(Boolean)).toHaveLength(1);
  });

  test('that ends while the answer is written goes with its next words', async () => {
    const question = askIn(server);
    await showAll(question, [
      view({ text: 'One two ' }),
      view({ text: 'One two three ', sources: [source(1)] }),
      view({ state: 'done', text: 'One two three four.', sources: [source(1)] }),
    ]);
    expect(methods()).toEqual(['startStream', 'appendStream', 'stopStream']);
    expect(step(question)).toMatchObject([{ title: 'Searched the web — 1 source' }]);
    expect(answersTo(server, question)[0]?.text).toMatch(/^One two three four\./);
  });

  test('of many sources with long titles leaves the text its room, and nothing in it is live', async () => {
    const question = askIn(server);
    const many = Array.from({ length: 120 }, (_, i) => ({
      ...source(i),
      url: `https://site${i % 100}.example/${'x'.repeat(90)}`,
      title: `<!channel> [x](http://evil.example) ${'title '.repeat(30)}`,
    }));
    const text = Array.from({ length: 400 }, (_, i) => `Fact ${i} of many [${i % 120}].`).join(' ');
    await showAll(question, [
      view({ text: text.slice(0, 60), sources: many }),
      view({ state: 'done', text, sources: many, footer: 'the end' }),
    ]);
    const [first, ...others] = answersTo(server, question);
    expect(first?.tasks).toMatchObject([{ title: 'Searched the web — 120 sources' }]);
    expect(JSON.stringify(first?.tasks)).not.toMatch(/<!|\]\(|evil\.example/);
    expect(first?.tasks[0]?.sources.length).toBeGreaterThan(2);
    expect(others.at(-1)?.text).toContain('the end');
    expect(server.calls.filter(({ result }) => result !== 'ok')).toEqual([]);
  });

  test.each(['invalid_chunks', 'invalid_arguments', 'no_such_thing'])(
    'is left out from then on where Slack refuses it (%s), and the answer streams all the same',
    async (error) => {
      server.fault('chat.startStream', { error });
      for (const wanted of [2, 1]) {
        const from = server.calls.length;
        const question = askIn(server);
        await showAll(question, [
          view({ text: 'One ', sources: found }),
          view({ text: 'One two ', sources: found }),
          view({ state: 'done', text: 'One two three.', sources: found }),
        ]);
        const starts = server.calls.slice(from).filter(({ method }) => method === 'chat.startStream');
        expect(starts).toHaveLength(wanted);
        expect(methods().at(-1)).toBe('stopStream');
        expect(step(question)).toEqual([]);
        expect(answersTo(server, question)).toHaveLength(1);
      }
    },
  );

  test('refused in the middle of a stream costs no word', async () => {
    const question = askIn(server);
    server.fault('chat.appendStream', { error: 'invalid_chunks' });
    await showAll(question, [
      view({ text: 'One two ' }),
      view({ text: 'One two three ', sources: found }),
      view({ text: 'One two three four ', sources: found }),
      view({ state: 'done', text: 'One two three four five.', sources: found }),
    ]);
    expect(methods()).toEqual(['startStream', 'appendStream', 'appendStream', 'stopStream']);
    expect(answersTo(server, question)[0]?.text).toMatch(/^One two three four five\./);
  });

  test('has no place in a message that is edited', async () => {
    const question = askIn(server);
    server.fault('chat.startStream', { error: 'unknown_method' });
    await showAll(question, [
      view({ text: 'One two ', sources: found }),
      view({ text: 'One two three ', sources: found }),
      view({ state: 'done', text: 'One two three four.', sources: found }),
    ]);
    expect(methods()).toEqual(['startStream', 'postMessage', 'update', 'update']);
    expect(server.calls.filter(({ args, result }) => args.chunks !== undefined && result === 'ok')).toEqual(
      [],
    );
    expect(answersTo(server, question)[0]?.text).toMatch(/^One two three four\./);
  });
});
