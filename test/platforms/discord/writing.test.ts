import { afterEach, describe, expect, test, vi } from 'vitest';
import type { AnswerEvent } from '../../../src/core/types.ts';
import { liveTokens } from '../../servers/discord/checks.ts';
import { answerOf, createTown, mention, promptModel, SOURCES, steppedModel, written } from './setup.ts';

const town = createTown();
afterEach(() => town.end());

const LONG = Array.from(
  { length: 60 },
  (_, i) => `Paragraph ${i} tells about the tower [${(i % 2) + 1}] in some more words than needed.\n\n`,
);

describe('long answers', () => {
  test('are split, every part within the limit, fences closed, sources on the last part only', async () => {
    const server = await town.server();
    const code = `\`\`\`python\n${'print("a line of code")\n'.repeat(150)}\`\`\`\n\n`;
    await town.footnote(server, { model: promptModel(() => answerOf(...LONG, code, 'The end.')) });
    const id = server.say({
      user: 'ada',
      channel: 'general',
      content: mention(server, 'Tell me everything'),
    });
    await vi.waitFor(() => expect(written(server, id).at(-1)?.content).toContain('Tower facts'), 15_000);
    const parts = written(server, id).map(({ content }) => content);
    expect(parts.length).toBeGreaterThan(3);
    for (const part of parts) {
      expect(Array.from(part).length).toBeLessThanOrEqual(2_000);
      expect((part.match(/```/g) ?? []).length % 2).toBe(0);
      expect(part).not.toContain('▌');
    }
    expect(parts.slice(0, -1).some((part) => part.includes('Tower facts'))).toBe(false);
    for (const i of LONG.keys()) expect(parts.join('\n')).toContain(`Paragraph ${i} tells`);
    expect(parts.join('\n').match(/print\(/g)).toHaveLength(150);
  });
});

describe('what a model writes', () => {
  test('notifies nobody and links to nothing but its sources', async () => {
    const server = await town.server();
    const hostile = `@everyone <@${server.people[0]?.id}> [bank.com](http://evil.example) http://evil.example <#1> [1]`;
    await town.footnote(server, { model: promptModel(() => answerOf(hostile)) });
    const id = server.say({ user: 'ada', channel: 'general', content: mention(server, 'Hi') });
    await vi.waitFor(() => expect(written(server, id)[0]?.content).toContain('Tower facts'));
    const [answer] = written(server, id);
    expect(answer?.mentions).toEqual([]);
    const live = liveTokens(answer?.content ?? '');
    const urls = SOURCES.map(({ url }) => url);
    expect(JSON.stringify(live)).not.toContain('evil.example');
    expect(JSON.stringify(live)).toContain(urls[0]);
    const writes = server.calls.filter(({ path, method }) => path.includes('/messages') && method !== 'GET');
    const bodies = writes
      .map(({ body }) => body)
      .filter((body) => JSON.stringify(body ?? '').includes('content'));
    expect(bodies.length).toBeGreaterThan(0);
    for (const body of bodies) expect(body).toMatchObject({ allowed_mentions: { parse: [] }, flags: 4 });
  });
});

describe('faults of the API', () => {
  test('a post whose answer is lost is there once', async () => {
    const server = await town.server();
    server.fault('POST /channels/:channel/messages', 'commit-then-reset', 2);
    await town.footnote(server);
    const id = server.say({ user: 'ada', channel: 'general', content: mention(server, 'Hi') });
    await vi.waitFor(() => expect(written(server, id)[0]?.content).toContain('Tower facts'), 10_000);
    expect(written(server, id)).toHaveLength(1);
  });

  test.each([
    ['429', { retryAfter: 0.4 }],
    ['503', { status: 503 }],
    ['a page instead of JSON', 'html' as const],
  ])('%s delays the end of an answer and loses nothing of it', async (_, fault) => {
    const server = await town.server();
    const model = steppedModel(() => answerOf('One. ', 'Two.'));
    await town.footnote(server, { model });
    const id = server.say({ user: 'ada', channel: 'general', content: mention(server, 'Hi') });
    model.step();
    await vi.waitFor(() => expect(written(server, id)).toHaveLength(1));
    server.fault('PATCH /channels/:channel/messages/:message', fault, 2);
    model.step(Number.POSITIVE_INFINITY);
    await vi.waitFor(() => expect(written(server, id)[0]?.content).toContain('Tower facts'), 10_000);
    expect(server.calls.filter(({ insideRetryAfter }) => insideRetryAfter)).toEqual([]);
  });

  test('a message deleted while it grows ends the answer', async () => {
    const server = await town.server();
    const model = steppedModel(() => answerOf('One. ', 'Two.'));
    await town.footnote(server, { model });
    const id = server.say({ user: 'ada', channel: 'general', content: mention(server, 'Hi') });
    model.step();
    await vi.waitFor(() => expect(written(server, id)).toHaveLength(1));
    server.remove({ channel: id, message: written(server, id)[0]?.id ?? '' });
    model.step(Number.POSITIVE_INFINITY);
    const edits = () => server.calls.filter(({ method, code }) => method === 'PATCH' && code === 10008);
    await vi.waitFor(() => expect(edits()).toHaveLength(1), 5_000);
    expect(written(server, id)).toHaveLength(0);
  });

  test('an archived thread is opened again to finish the answer', async () => {
    const server = await town.server();
    const model = steppedModel(() => answerOf('One. ', 'Two.'));
    await town.footnote(server, { model });
    const id = server.say({ user: 'ada', channel: 'general', content: mention(server, 'Hi') });
    model.step();
    await vi.waitFor(() => expect(written(server, id)).toHaveLength(1));
    server.archive(id);
    model.step(Number.POSITIVE_INFINITY);
    await vi.waitFor(() => expect(written(server, id)[0]?.content).toContain('Tower facts'), 5_000);
  });

  test('a message too old to edit is replaced', async () => {
    const server = await town.server();
    const model = steppedModel(() => answerOf('One. ', 'Two.'));
    await town.footnote(server, { model });
    const id = server.say({ user: 'ada', channel: 'general', content: mention(server, 'Hi') });
    model.step();
    await vi.waitFor(() => expect(written(server, id)).toHaveLength(1));
    const [first] = written(server, id);
    server.fault('PATCH /channels/:channel/messages/:message', { status: 400, code: 30046 });
    model.step(Number.POSITIVE_INFINITY);
    await vi.waitFor(() => expect(written(server, id)[0]?.content).toContain('Tower facts'), 5_000);
    expect(written(server, id)).toHaveLength(1);
    expect(written(server, id)[0]?.id).not.toBe(first?.id);
  });

  test('a refused token makes the service unready', async () => {
    const server = await town.server();
    const footnote = await town.footnote(server);
    expect(footnote.app.ready()).toBe(true);
    server.fault('POST /channels/:channel/messages', { status: 401, code: 0 });
    server.say({ user: 'ada', channel: '@ada', content: 'Hi' });
    await vi.waitFor(() => expect(footnote.app.ready()).toBe(false));
  });
});

describe('real limits', () => {
  const words: AnswerEvent[] = answerOf(...Array.from({ length: 30 }, (_, i) => `Word ${i} of the answer. `));

  test('twenty answers in threads of their own and five in one channel all arrive whole, without a 429', async () => {
    const server = await town.server({ limits: 'real' });
    const model = steppedModel(() => words);
    const footnote = await town.footnote(server, { model });
    const ids = Array.from({ length: 20 }, (_, i) =>
      server.say({
        user: 'ada',
        channel: i % 2 ? 'general' : 'random',
        content: mention(server, `Question ${i}`),
      }),
    );
    for (let i = 0; i < 5; i++) {
      server.say({ user: 'grace', channel: 'no-threads', content: mention(server, `Question ${i}`) });
    }
    await vi.waitFor(() => expect(model.requests).toHaveLength(25), 10_000);
    const visible = () => ids.filter((id) => written(server, id).length > 0).length;
    model.step(5);
    await vi.waitFor(() => expect(visible()).toBe(20), 10_000);
    model.step(Number.POSITIVE_INFINITY);
    const whole = (channel: string) =>
      written(server, channel).filter(({ content }) => content.includes('Tower facts'));
    await vi.waitFor(() => expect(ids.filter((id) => whole(id).length === 1)).toHaveLength(20), 15_000);
    await vi.waitFor(() => expect(whole('no-threads')).toHaveLength(5), 15_000);
    expect(footnote.heard.every(({ result }) => result === 'accepted')).toBe(true);
    expect(server.calls.filter(({ status }) => status === 429)).toEqual([]);
  }, 60_000);
});
