/** What research messages do on Slack beside their contract. */
import { afterEach, describe, expect, test } from 'vitest';
import { hasNoPlace } from '../../../src/core/research/messages.ts';
import type {
  NotificationPlace,
  ResearchNotification,
  ResearchPlatform,
} from '../../../src/core/research/ports.ts';
import type { Question, ThreadRef } from '../../../src/core/types.ts';
import { researchView } from '../../contracts/research-messages.ts';
import { liveTokens } from '../../servers/slack/live-tokens.ts';
import type { SlackServerOptions } from '../../servers/slack/types.ts';
import { readManifest } from './manifest.ts';
import { ADAS_DM, commanded, openMessagesSide, seenIn } from './research-side.ts';
import { ADA, askIn, failureOf, fresh, GENERAL, openApp, source, unpaced, view } from './setup.ts';

let side: Awaited<ReturnType<typeof openMessagesSide>>;
const open = async (options: SlackServerOptions = {}) => {
  side = await openMessagesSide(options);
  return side.server;
};
afterEach(() => side.close());

const MINIMAL = readManifest('slack-minimal.yaml').scopes;
const REPORT = { name: 'report.md', text: '# why?\n\nBecause.\n' };

type Fields = Partial<Parameters<ResearchPlatform['showCard']>[0]> & { thread?: ThreadRef | null };

function show(question: Question, { thread = question.thread, ...fields }: Fields = {}) {
  const view = researchView({ text: '> why?', footer: 'R-4F2K · Queued' });
  return side.messages.showCard({
    question: { ...question, thread },
    view,
    card: null,
    urgency: 'final',
    isRepeat: false,
    ...fields,
  });
}

function notice(question: Question, fields: Partial<ResearchNotification> = {}): ResearchNotification {
  const place: NotificationPlace = question.thread
    ? { type: 'thread', thread: question.thread }
    : { type: 'channel' };
  const lead = 'Research finished in 6 min';
  return {
    question,
    place,
    lead,
    view: researchView({ text: 'It was so.' }),
    file: null,
    isRepeat: false,
    ...fields,
  };
}

const callsOf = (method: string) => side.server.calls.filter((call) => call.method === method);

describe('where history may not be read', () => {
  test('a repeated notice is unknown, and nothing is posted', async () => {
    const server = await open({ scopes: MINIMAL });
    const question = askIn(server);
    expect(await side.messages.notify(notice(question, { isRepeat: true }))).toEqual({
      type: 'unknown',
    });
    expect(callsOf('chat.postMessage')).toEqual([]);
  });

  test('a notice whose answer was lost is unknown, and is there once', async () => {
    const server = await open({ scopes: MINIMAL });
    const question = askIn(server);
    side.loseNextAnswer();
    expect(await side.messages.notify(notice(question))).toEqual({ type: 'unknown' });
    expect(server.history(GENERAL).filter(({ bot }) => bot)).toHaveLength(1);
  });

  test('direct messages are found again, and come without a file', async () => {
    const server = await open({ scopes: MINIMAL });
    const question = askIn(server);
    side.loseNextAnswer();
    const place = { type: 'dm', link: null } as const;
    const noticed = await side.messages.notify(notice(question, { place, file: REPORT }));
    expect(noticed).toMatchObject({ type: 'posted', hasFile: false });
    expect(server.history(ADAS_DM)).toHaveLength(1);
  });

  test('a card is shown and edited', async () => {
    await open({ scopes: MINIMAL });
    const question = askIn(side.server);
    const { thread, card } = await show(question);
    await show(question, { thread, card, view: researchView({ text: 'Done' }) });
    expect(side.seen(thread).map(({ text }) => text)).toEqual(['Done']);
  });
});

describe('looking for an earlier try', () => {
  test('goes on over the pages of a busy thread, and past other messages of ours', async () => {
    const server = await open();
    const question = askIn(server);
    const { thread } = await show(question);
    for (let i = 0; i < 450; i++)
      server.say({ user: ADA, channel: GENERAL, text: `${i}`, threadTs: thread.thread });
    const first = await side.messages.notify(notice(question, { file: REPORT }));
    expect(await side.messages.notify(notice(question, { file: REPORT, isRepeat: true }))).toEqual(first);
    expect(callsOf('conversations.replies')).toHaveLength(3);
    expect(callsOf('files.getUploadURLExternal')).toHaveLength(1);
  });

  test('takes no notice of another job for its own', async () => {
    const server = await open();
    const question = askIn(server);
    await side.messages.notify(notice({ ...question, id: 'another' }));
    expect(await side.messages.notify(notice(question, { isRepeat: true }))).toMatchObject({
      type: 'posted',
    });
    expect(seenIn(server, question.thread ?? 'dm')).toHaveLength(2);
  });

  test('ends as unknown in a channel where far too much was said', { timeout: 30_000 }, async () => {
    const server = await open();
    const question = commanded(server);
    for (let i = 0; i < 4_001; i++) server.say({ user: ADA, channel: GENERAL, text: `${i}` });
    expect(await side.messages.notify(notice(question, { isRepeat: true }))).toEqual({
      type: 'unknown',
    });
  });

  test('fails while Slack cannot be reached, and posts nothing', async () => {
    const server = await open();
    const question = askIn(server);
    server.fault('conversations.replies', { status: 503 }, Number.POSITIVE_INFINITY);
    const failure = await failureOf(side.messages.notify(notice(question, { isRepeat: true })));
    expect(failure.kind).toBe('unreachable');
    expect(callsOf('chat.postMessage')).toEqual([]);
  });
});

describe('the file', () => {
  test.each([
    { error: 'file_uploads_disabled' },
    { error: 'storage_limit_reached' },
    { error: 'access_denied' },
  ])('is left out where uploads are refused: %j', async (fault) => {
    const server = await open();
    server.fault('files.getUploadURLExternal', fault);
    const noticed = await side.messages.notify(notice(askIn(server), { file: REPORT }));
    expect(noticed).toMatchObject({ type: 'posted', hasFile: false });
    expect(callsOf('upload_url')).toEqual([]);
  });

  test.each(['files.getUploadURLExternal', 'upload_url', 'files.completeUploadExternal'])(
    'arrives whole though %s fails once, before or after it took effect',
    async (method) => {
      const server = await open();
      const question = askIn(server);
      server.fault(method, { status: 503 });
      server.fault(method, 'commit-then-reset');
      const noticed = await side.messages.notify(notice(question, { file: REPORT }));
      expect(noticed).toMatchObject({ type: 'posted', hasFile: true });
      expect(side.seen(question.thread ?? 'dm')).toMatchObject([{ files: [REPORT] }]);
    },
  );

  test('is left out where the upload never succeeds, and the notice is there', {
    timeout: 30_000,
  }, async () => {
    const server = await open();
    const question = askIn(server);
    server.fault('upload_url', 'reset-before', Number.POSITIVE_INFINITY);
    const noticed = await side.messages.notify(notice(question, { file: REPORT }));
    expect(noticed).toMatchObject({ type: 'posted', hasFile: false });
    expect(side.seen(question.thread ?? 'dm')).toHaveLength(1);
  });

  test('is left out where links to files are forbidden', async () => {
    const server = await open();
    const question = askIn(server);
    server.fault('chat.postMessage', { error: 'slack_connect_file_link_sharing_blocked' });
    const noticed = await side.messages.notify(notice(question, { file: REPORT }));
    expect(noticed).toMatchObject({ type: 'posted', hasFile: false });
    expect(await side.messages.notify(notice(question, { file: REPORT, isRepeat: true }))).toEqual(noticed);
  });

  test('comes also where Slack refuses the blocks', async () => {
    const server = await open();
    const question = askIn(server);
    server.fault('chat.postMessage', { error: 'invalid_blocks' });
    const noticed = await side.messages.notify(notice(question, { file: REPORT }));
    expect(noticed).toMatchObject({ type: 'posted', hasFile: true });
    expect(side.seen(question.thread ?? 'dm')).toMatchObject([{ pings: [ADA], files: [REPORT] }]);
  });
});

test('what Slack refuses for good, or for want of a scope, is to be tried in another place', async () => {
  const server = await open({ scopes: ['chat:write', 'channels:history'] });
  const question = askIn(server);
  const dm = notice(question, { place: { type: 'dm', link: null } });
  expect(await failureOf(side.messages.notify(dm))).toMatchObject({
    kind: 'undeliverable',
    code: 'missing_scope',
  });
  server.fault('chat.postMessage', { error: 'not_heard_of_yet' }, Number.POSITIVE_INFINITY);
  expect(hasNoPlace(await failureOf(side.messages.notify(notice(question))))).toBe(true);
  expect(hasNoPlace(await failureOf(show(question)))).toBe(true);
  expect(server.history(GENERAL).filter(({ bot }) => bot)).toEqual([]);
});

test('nothing in a card or notice is live but the mention, the sources and the file', async () => {
  const server = await open();
  const hostile =
    '<!channel> <@U0000GRACE> [bank](http://evil.example/a) <http://evil.example|x> http://evil.example/raw | *b*';
  const question = { ...commanded(server), text: hostile };
  const shown = researchView({
    text: `${hostile} [1]`,
    sources: [{ ...source(1), title: hostile }],
    notices: [hostile],
    footer: hostile,
  });
  const { thread } = await show(question, { view: shown });
  const place = { type: 'thread', thread } as const;
  const file = { name: `re|port<!here>.md`, text: hostile };
  await side.messages.notify(notice(question, { place, lead: hostile, view: shown, file }));
  server.fault('chat.postMessage', { error: 'invalid_blocks' });
  await side.messages.notify(notice({ ...question, id: 'b' }, { place, lead: hostile, view: shown, file }));
  const messages = server.history(GENERAL).filter(({ bot }) => bot);
  expect(messages).toHaveLength(4);
  const live = messages.flatMap(({ text, fallback }) => [text, fallback].flatMap(liveTokens));
  expect(live).toContain(`<@${ADA}>`);
  // What leads nowhere is only text, in Slack's older mark-up too.
  const others = live
    .filter((token) => /<[!@#]|:\/\//.test(token) && token !== `<@${ADA}>`)
    .filter((token) => !/https:\/\/(?:example\.org\/1[>)|]|harbor\.slack\.com\/files\/)/.test(token));
  expect(others).toEqual([]);
});

describe('a card', () => {
  test('is left as it is when the budgets are short and it is only progress', async () => {
    const server = await open();
    const question = askIn(server);
    const { thread, card } = await show(question);
    const progress = { thread, card, urgency: 'progress' } as const;
    for (let i = 0; i < 60; i++)
      expect(await show(question, { ...progress, view: researchView({ text: `${i}` }) })).toEqual({
        thread,
        card,
      });
    expect(callsOf('chat.update').length).toBeLessThanOrEqual(50);
    expect(callsOf('chat.update').length).toBeGreaterThan(40);
    server.fault('chat.update', { status: 429, retryAfter: 30 });
    expect(await show(question, { ...progress, view: researchView({ text: 'late' }) })).toEqual({
      thread,
      card,
    });
  });

  test('that the workspace no longer lets us edit stays as it is', async () => {
    const server = await open();
    const question = askIn(server);
    const shown = await show(question);
    server.fault('chat.update', { error: 'edit_window_closed' });
    expect(await show(question, { ...shown, view: researchView({ text: 'Done' }) })).toEqual(shown);
    expect(side.seen(shown.thread)).toHaveLength(1);
  });

  test('in a channel archived meanwhile has no place any more', async () => {
    const server = await open();
    const question = askIn(server);
    const shown = await show(question);
    server.fault('chat.update', { error: 'is_inactive' });
    expect((await failureOf(show(question, shown))).kind).toBe('undeliverable');
  });

  test.each(['C0ARCHIVED', 'C00PRIVATE', 'C0NOWHERE'])('has no place in %s', async (channel) => {
    const server = await open();
    const question = { ...commanded(server), channel };
    expect((await failureOf(show(question))).kind).toBe('undeliverable');
    expect((await failureOf(side.messages.notify(notice(question)))).kind).toBe('undeliverable');
  });
});

test("an ordinary answer's second attempt leaves card and notice alone", async () => {
  const server = await open();
  const question = askIn(server);
  const job = { ...question, id: 'the-job' };
  const first = fresh();
  const crash = { ...first.start, posted: () => Promise.reject(new Error('killed')) };
  const app = await openApp(server);
  await show(job);
  const dying = unpaced(app.platform, question, crash);
  await expect(dying.show(view({ text: 'Half of an answer' }))).rejects.toThrow('killed');
  await side.messages.notify(notice(job, { file: REPORT }));
  const second = unpaced(app.platform, question, fresh(2).start);
  await second.show(view({ state: 'done', text: 'The whole answer.' }));
  await second.close();
  const texts = side.seen(question.thread ?? 'dm').map(({ text }) => text.split('\n')[0]);
  expect(texts).toEqual(['> why?', 'The whole answer.', expect.stringContaining('Research finished')]);
  expect(callsOf('chat.postMessage')).toHaveLength(2);
  for (const { args } of callsOf('chat.postMessage')) expect(args).toHaveProperty('metadata');
});

test('12 jobs ending at once keep within the real limits', { timeout: 60_000 }, async () => {
  const server = await open({ limits: 'real', latencyMs: 10 });
  const channels = ['C00GENERAL', 'C000RANDOM', 'C0PARTNERS'];
  const questions = Array.from({ length: 12 }, (_, i) => askIn(server, 'why?', channels[i % 3]));
  await Promise.all(
    questions.map(async (question) => {
      const shown = await show(question);
      await show(question, { ...shown, view: researchView({ text: 'Done' }) });
      const noticed = await side.messages.notify(notice(question, { file: REPORT }));
      expect(noticed).toMatchObject({ type: 'posted', hasFile: true });
    }),
  );
  expect(server.calls.filter(({ status, insideRetryAfter }) => status === 429 || insideRetryAfter)).toEqual(
    [],
  );
});
