/** Many answers at once under Discord's real limits: what goes first when not everything can. */
import { afterEach, expect, test, vi } from 'vitest';
import type { Reply } from '../../../src/core/ports.ts';
import type { MessageRef, Question, View } from '../../../src/core/types.ts';
import type { RecordedCall } from '../../servers/discord/recording.ts';
import {
  answerOf,
  channelId,
  createTown,
  type Footnote,
  mention,
  SOURCES,
  steppedModel,
  written,
} from './setup.ts';

const town = createTown();
afterEach(() => town.end());

type Server = Awaited<ReturnType<typeof town.server>>;

/** About 2,600 characters with a marker in every sentence: two messages, of which the first is full. */
const TEXT = Array.from(
  { length: 40 },
  (_, i) => `Sentence ${i} tells about the tower in some words [${(i % 2) + 1}].`,
).join(' ');

function view(text: string, state: View['state'], sources: View['sources'] = []): View {
  return { state, status: '', text, sources, notices: [], footer: null, buttons: [] };
}

function thread(server: Server, n: number): string {
  return server.makeThread({ user: 'ada', channel: 'general', name: `talk ${n}` });
}

function question(server: Server, channel: string, n: number): Question {
  const workspace = server.guild.id;
  return {
    id: `00000000-0000-5000-8000-${String(n).padStart(12, '0')}`,
    platform: 'discord',
    workspace,
    channel,
    thread: { platform: 'discord', workspace, channel, thread: channel },
    message: null,
    repliesTo: null,
    trigger: 'thread',
    asker: { id: '1', name: 'Ada' },
    text: 'What now?',
    quotes: [],
    attachments: [],
    title: null,
    addressesOthers: false,
    overrides: {},
    delivery: {},
    askedAt: Date.now(),
  };
}

const START = { messages: [], attempt: 1, posted: async () => {}, isTaken: async () => false };
const NEVER = new AbortController().signal;

function contentOf({ body }: RecordedCall): string {
  return typeof body === 'object' && body !== null && 'content' in body ? String(body.content) : '';
}

function writes(server: Server): readonly RecordedCall[] {
  return server.calls.filter(({ route }) => /\/messages(\/:message)?$/.test(route));
}

test('an answer whose sources come last fills its messages, and links each source before any twice', async () => {
  const server = await town.server();
  const { app } = await town.footnote(server);
  const channel = thread(server, 0);
  const reply = app.platform.reply(question(server, channel, 0), START);
  await reply.show(() => view(TEXT, 'writing'), NEVER);
  await reply.show(() => view(`${TEXT} The end.`, 'done', SOURCES), NEVER);
  await reply.close();
  const [first, second, ...others] = written(server, channel).map(({ content }) => content);
  expect(others).toEqual([]);
  expect(Array.from(first ?? '').length).toBeGreaterThan(1_900);
  for (const { url } of SOURCES) expect(first).toContain(`](<${url}>)`);
  expect(second).toMatch(/The end\.\n-# 1 · \[Tower facts\]/);
});

/** Shows progress as soon as there is a call for it. */
async function showSoon(reply: Reply, progress: View): Promise<void> {
  for (let isShown = false; !isShown; ) {
    isShown = await reply
      .show(() => progress, NEVER)
      .then(
        () => true,
        () => false,
      );
  }
}

/** 60 answers of two messages, still growing: their ends are more calls than a second has. */
async function crowd(server: Server, app: Footnote['app']): Promise<readonly Reply[]> {
  const replies = Array.from({ length: 60 }, (_, n) =>
    app.platform.reply(question(server, thread(server, n), n), START),
  );
  await Promise.all(replies.map((reply) => showSoon(reply, view(TEXT, 'writing'))));
  return replies;
}

async function end(reply: Reply, signal = NEVER): Promise<void> {
  await reply.show(() => view(`${TEXT} The end.`, 'done', SOURCES), signal);
}

const hasEnd = (call: RecordedCall): boolean => contentOf(call).includes('The end.');

test('the last words of answers come before the links of those that ended earlier, without a 429', async () => {
  const server = await town.server({ limits: 'real', latencyMs: 20 });
  const { app } = await town.footnote(server);
  const replies = await crowd(server, app);
  const from = server.calls.length;
  const calls = (): readonly RecordedCall[] =>
    writes(server).filter((call) => server.calls.indexOf(call) >= from);
  const ends = (): number => calls().filter(hasEnd).length;
  const earlier = replies.slice(0, 45).map((reply) => end(reply));
  await vi.waitFor(() => expect(ends()).toBe(45), { timeout: 10_000, interval: 5 });
  await Promise.all([...earlier, ...replies.slice(45).map((reply) => end(reply))]);
  const all = calls();
  const links = all.filter((call) => call.method === 'PATCH' && !hasEnd(call));
  const early = links.filter((call) => all.indexOf(call) < all.findLastIndex(hasEnd));
  expect(ends()).toBe(60);
  expect(links).toHaveLength(60);
  // What had been sent before the second group was there.
  expect(early.length).toBeLessThan(20);
  expect(server.calls.filter(({ status }) => status === 429)).toEqual([]);
}, 30_000);

test('an answer that ends has all its words before one that ends after it', async () => {
  const server = await town.server({ limits: 'real', latencyMs: 20 });
  const { app } = await town.footnote(server);
  const replies = Array.from({ length: 100 }, (_, n) =>
    app.platform.reply(question(server, thread(server, n), n), START),
  );
  await Promise.all(replies.map((reply) => showSoon(reply, view('First words.', 'writing'))));
  const before = writes(server).length;
  await Promise.all(replies.map((reply) => end(reply)));
  // Two calls each: the rest of the first message, and the second. No more are begun than one second of calls allows.
  let most = 0;
  const ended = new Set<string>();
  const begun = new Set<string>();
  for (const call of writes(server).slice(before)) {
    const channel = call.path.split('/')[2] ?? '';
    begun.add(channel);
    if (hasEnd(call)) ended.add(channel);
    most = Math.max(most, begun.size - ended.size);
  }
  expect(ended.size).toBe(100);
  expect(most).toBeLessThanOrEqual(50);
  expect(server.calls.filter(({ status }) => status === 429)).toEqual([]);
}, 40_000);

test('links that could not be written before a stop are written by the next attempt', async () => {
  const server = await town.server({ limits: 'real', latencyMs: 20 });
  const { app } = await town.footnote(server);
  const channel = thread(server, 0);
  let messages: readonly MessageRef[] = [];
  const posted = async (all: readonly MessageRef[]): Promise<void> => void (messages = all);
  const reply = app.platform.reply(question(server, channel, 0), { ...START, posted });
  const stopping = new AbortController();
  await reply.show(() => view(TEXT, 'writing'), NEVER);
  // Four of the five edits a channel has in 5 s, which leaves the one that is reserved for the end.
  const more = [' One.', ' Two.', ' Three.', ' Four.'];
  for (const [i] of more.entries()) {
    await showSoon(reply, view(TEXT + more.slice(0, i + 1).join(''), 'writing'));
  }
  const last = view(`${TEXT}${more.join('')} The end.`, 'done', SOURCES);
  const ended = expect(reply.show(() => last, stopping.signal)).rejects.toThrow('stopped while waiting');
  await vi.waitFor(() => expect(written(server, channel).at(-1)?.content).toContain('The end.'));
  stopping.abort();
  await ended;
  await reply.close();
  expect(messages).toHaveLength(2);
  const [before] = written(server, channel).map(({ content }) => content);
  expect(before).not.toContain('](<');
  const again = app.platform.reply(question(server, channel, 0), { ...START, messages, attempt: 2 });
  await again.show(() => last, NEVER);
  await again.close();
  const [first, second] = written(server, channel).map(({ content }) => content);
  expect(first).toContain(`](<${SOURCES[0]?.url}>)`);
  expect(second).toContain('The end.');
});

test('five answers in one channel without threads spend its calls on what they cannot end without', async () => {
  const server = await town.server({ limits: 'real', latencyMs: 20 });
  const pieces = [TEXT.slice(0, 900), TEXT.slice(900, 1_200), TEXT.slice(1_200, 1_400), TEXT.slice(1_400)];
  const model = steppedModel(() => answerOf(...pieces, ' The end.'));
  await town.footnote(server, { model });
  const texts = () => written(server, channelId(server, 'no-threads')).map(({ content }) => content);
  for (let n = 0; n < 5; n++) {
    server.say({ user: 'ada', channel: 'no-threads', content: mention(server, `Question ${n}`) });
  }
  // One of its own beside them shows how time passes.
  const alone = server.say({ user: 'ada', channel: 'general', content: mention(server, 'And I?') });
  const patches = (channel: string): number =>
    writes(server).filter(({ method, path }) => method === 'PATCH' && path.includes(channel)).length;
  await vi.waitFor(() => expect(model.requests).toHaveLength(6), 5_000);
  model.step(1);
  await vi.waitFor(() => expect(texts()).toHaveLength(5), 5_000);
  for (const edits of [1, 2]) {
    model.step(1);
    await vi.waitFor(() => expect(patches(alone)).toBe(edits), 5_000);
  }
  expect(patches(channelId(server, 'no-threads'))).toBe(0);
  model.step(Number.POSITIVE_INFINITY);
  // The second messages have to wait for the channel's next window.
  await vi.waitFor(() => expect(texts().filter((text) => text.includes('The end.'))).toHaveLength(5), 12_000);
  expect(
    texts()
      .join('')
      .match(/Sentence 20 /g),
  ).toHaveLength(5);
  expect(texts()).toHaveLength(10);
  expect(patches(channelId(server, 'no-threads'))).toBe(5);
  expect(server.calls.filter(({ status }) => status === 429)).toEqual([]);
}, 40_000);

test('in a crowd, threads nobody knew are read before anything is shown, and nobody types', async () => {
  const server = await town.server({ limits: 'real', latencyMs: 20 });
  const model = steppedModel(() => answerOf('Yes.'));
  const { app } = await town.footnote(server, { model });
  const threads = Array.from({ length: 40 }, (_, n) => thread(server, 100 + n));
  for (const channel of threads) server.say({ user: 'ada', channel, content: 'Earlier words.' });
  const others = crowd(server, app);
  for (const channel of threads) server.say({ user: 'ada', channel, content: mention(server, 'And now?') });
  await vi.waitFor(() => expect(model.requests).toHaveLength(40), 10_000);
  const knowing = model.requests.filter(({ messages }) =>
    JSON.stringify(messages).includes('Earlier words.'),
  );
  // Reading is waited for two seconds at most, and a busy machine may be slower.
  expect(knowing.length).toBeGreaterThan(0);
  model.step(Number.POSITIVE_INFINITY);
  const whole = (): number => threads.filter((id) => written(server, id).length === 1).length;
  await vi.waitFor(() => expect(whole()).toBe(40), 10_000);
  await others;
  const firstOf = (method: string, thread: string): number =>
    server.calls.findIndex((call) => call.method === method && call.path.endsWith(`/${thread}/messages`));
  for (const id of threads) expect(firstOf('GET', id)).toBeLessThan(firstOf('POST', id));
  expect(server.calls.filter(({ route }) => route.endsWith('/typing')).length).toBeLessThan(20);
}, 40_000);
