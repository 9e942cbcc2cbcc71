import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Failure } from '../../src/core/failures.ts';
import type {
  NotificationPlace,
  NotifyResult,
  ResearchNotification,
  ResearchPlatform,
} from '../../src/core/research/ports.ts';
import type { MessageRef, Question, ThreadRef, View } from '../../src/core/types.ts';

/** A message as people see it. */
export interface SeenMessage {
  readonly message: string;
  readonly text: string;
  /** The ids of the people it pings; `*` for a group or for everybody. */
  readonly pings: readonly string[];
  readonly buttons: readonly string[];
  readonly files: readonly { readonly name: string; readonly text: string }[];
}

/** One platform opened against its stand-in. */
export interface MessagesSide {
  readonly messages: ResearchPlatform;
  /** The same of another process: it shares nothing with the first but the platform. */
  reopen(): Promise<ResearchPlatform>;
  /** Somebody asks: in a thread there is, or by a command, whose thread is still to be opened. */
  ask(how: 'thread' | 'command'): Promise<Question>;
  /** Our messages in a thread without what it hangs on, in the direct messages with the asker, or in the channel outside threads. */
  seen(where: ThreadRef | 'dm' | 'channel'): readonly SeenMessage[];
  /** Part of the address that a link to this message has. */
  addressOf(message: MessageRef): string;
  remove(message: MessageRef): void;
  /** The next post takes effect, but its answer is lost. */
  loseNextAnswer(): void;
  /** From now on nobody may write in this thread, and we may not change that. */
  shut(thread: ThreadRef): void;
  refuseDms(): void;
  refuseFiles(): void;
  close(): Promise<void>;
}

const HOSTILE = [
  'Hello <!channel> <!here> <!everyone> <!subteam^S1> @everyone @here <@U0000GRACE> <@!123456789012345678> <@&1>',
  '[bank](http://evil.example/login) <http://evil.example|bank>',
].join(' ');

/** A whole view; by default the end of something. */
export function researchView(fields: Partial<View> = {}): View {
  return {
    state: 'done',
    status: '',
    text: '',
    sources: [],
    notices: [],
    footer: null,
    buttons: [],
    ...fields,
  };
}

/** So many sources with long titles and addresses. */
function manySources(count: number): View['sources'] {
  return Array.from({ length: count }, (_, index) => ({
    number: index + 1,
    url: `https://site${index + 1}.example/${'path/'.repeat(20)}${index + 1}`,
    title: `Source ${index + 1} ${'about it '.repeat(20)}`,
    date: '2026-11-03',
    snippet: 'What it says. '.repeat(40),
  }));
}

/** The contract of the ResearchPlatform port, over the stand-in's real sockets. */
export function researchMessagesContract(name: string, open: () => Promise<MessagesSide>): void {
  describe(`research messages contract: ${name}`, () => {
    let side: MessagesSide;
    beforeEach(async () => {
      side = await open();
    });
    afterEach(() => side.close());

    cardCases(() => side);
    noticeCases(() => side);
    placeCases(() => side);
  });
}

function cardCases(side: () => MessagesSide): void {
  const queued = researchView({ text: '> why?', footer: 'R-4F2K · Queued' });

  test('a card is posted once, in the thread, with its button and without pinging anybody', async () => {
    const question = await side().ask('thread');
    const view = { ...queued, text: `> ${HOSTILE}`, buttons: [stopOf(question)] };
    const { thread, card } = await show(side().messages, question, view);
    expect(thread).toEqual(question.thread);
    const seen = side().seen(thread);
    expect(seen).toMatchObject([{ message: card?.message, pings: [], buttons: ['Stop'] }]);
    expect(seen[0]?.text).toContain('R-4F2K · Queued');
  });

  test('a command gets a thread of its own, once, also when another process begins anew', async () => {
    const question = await side().ask('command');
    const first = await show(side().messages, question, queued);
    const again = await show(await side().reopen(), question, queued, { isRepeat: true });
    expect(again).toEqual(first);
    expect(side().seen(first.thread)).toHaveLength(1);
    expect(side().seen('channel').length).toBeLessThanOrEqual(1);
  });

  test('a card whose answer was lost is there once', async () => {
    const question = await side().ask('thread');
    side().loseNextAnswer();
    const { thread, card } = await untilDone((isRepeat) =>
      show(side().messages, question, queued, { isRepeat }),
    );
    expect(
      side()
        .seen(thread)
        .map(({ message }) => message),
    ).toEqual([card?.message]);
  });

  test('a later view rewrites the card', async () => {
    const question = await side().ask('thread');
    const { thread, card } = await show(side().messages, question, {
      ...queued,
      buttons: [stopOf(question)],
    });
    const done = researchView({ text: '> why?', footer: 'R-4F2K · Done in 6 min' });
    for (const messages of [side().messages, await side().reopen()])
      expect(await show(messages, question, done, { thread, card })).toEqual({ thread, card });
    expect(side().seen(thread)).toMatchObject([{ message: card?.message, buttons: [] }]);
    expect(side().seen(thread)[0]?.text).toContain('Done in 6 min');
  });

  test('a card that somebody deleted is gone, and is not posted again', async () => {
    const question = await side().ask('thread');
    const { thread, card } = await show(side().messages, question, queued);
    side().remove(card);
    const failure = await kindOf(show(side().messages, question, queued, { thread, card }));
    expect(failure).toBe('gone');
    expect(side().seen(thread)).toEqual([]);
  });

  test('where nobody may write there is no card', async () => {
    const question = await side().ask('thread');
    if (question.thread) side().shut(question.thread);
    expect(await kindOf(show(side().messages, question, queued))).toMatch(/^(?:undeliverable|gone)$/);
  });
}

function noticeCases(side: () => MessagesSide): void {
  test('a notice is one new message that pings the asker alone, with sources, buttons and the file', async () => {
    const { question, thread } = await begun(side());
    const sources = manySources(3).map((source) => ({ ...source, title: HOSTILE }));
    const view = researchView({
      text: `It was **so** [1]. ${HOSTILE}`,
      sources,
      notices: [HOSTILE],
      footer: HOSTILE,
      buttons: [{ action: 'sources', label: 'All 3 sources', question: question.id }],
    });
    const file = { name: 'report.md', text: `# why?\n\n${HOSTILE}\n` };
    const notice = composeNotification(
      question,
      { type: 'thread', thread },
      { view, file, lead: `Finished ${HOSTILE}` },
    );
    const message = postedBy(await side().messages.notify(notice), true);
    const [, seen, ...others] = side().seen(thread);
    expect(others).toEqual([]);
    expect(seen).toMatchObject({
      message,
      pings: [question.asker.id],
      buttons: ['All 3 sources'],
      files: [file],
    });
    expect(seen?.text).toContain('Finished');
    expect(seen?.text).toContain('https://site1.example/');
  });

  test('a notice that stands is found by another process, not repeated', async () => {
    const { question, thread } = await begun(side());
    const notice = composeNotification(question, { type: 'thread', thread }, { file: REPORT });
    const first = await side().messages.notify(notice);
    const other = await side().reopen();
    expect(await other.notify({ ...notice, isRepeat: true })).toEqual(first);
    expect(side().seen(thread)).toHaveLength(2);
  });

  test('a repeat posts what is not there yet', async () => {
    const { question, thread } = await begun(side());
    const notice = composeNotification(question, { type: 'thread', thread }, { isRepeat: true });
    const message = postedBy(await side().messages.notify(notice), false);
    expect(side().seen(thread).at(-1)).toMatchObject({ message, pings: [question.asker.id], files: [] });
  });

  test.each(['thread', 'dm', 'channel'] as const)(
    'a notice whose answer was lost is there once: %s',
    async (type) => {
      const { question, thread } = await begun(side());
      const place: NotificationPlace =
        type === 'thread' ? { type, thread } : type === 'dm' ? { type, link: null } : { type };
      const before = side().seen(type === 'thread' ? thread : type).length;
      side().loseNextAnswer();
      const noticed = await untilDone((isRepeat) =>
        side().messages.notify(composeNotification(question, place, { isRepeat, file: REPORT })),
      );
      const message = postedBy(noticed, true);
      const seen = side().seen(type === 'thread' ? thread : type);
      expect(seen).toHaveLength(before + 1);
      expect(seen.at(-1)).toMatchObject({ message, pings: [question.asker.id], files: [REPORT] });
    },
  );

  test('without leave to upload, the notice comes without its file', async () => {
    const { question, thread } = await begun(side());
    side().refuseFiles();
    const notice = composeNotification(question, { type: 'thread', thread }, { file: REPORT });
    const message = postedBy(await side().messages.notify(notice), false);
    expect(side().seen(thread).at(-1)).toMatchObject({ message, pings: [question.asker.id], files: [] });
  });

  test('a long report with 120 sources arrives whole, in one message', async () => {
    const { question, thread } = await begun(side());
    const sources = manySources(120);
    const text = Array.from({ length: 120 }, (_, i) => `Ünïcode finding ${i + 1} 😀 [${i + 1}].`).join(' ');
    const file = { name: 'report.md', text: 'Zeile mit Umlaut ä 😀.\n'.repeat(2_700) };
    expect(file.text.length).toBeGreaterThan(60_000);
    const view = researchView({
      text: text.slice(0, 1_200),
      sources,
      notices: ['n'.repeat(300)],
      footer: 'f'.repeat(300),
    });
    postedBy(
      await side().messages.notify(composeNotification(question, { type: 'thread', thread }, { view, file })),
      true,
    );
    expect(side().seen(thread)).toHaveLength(2);
    expect(side().seen(thread).at(-1)?.files).toEqual([file]);
    expect(side().seen(thread).at(-1)?.text).toContain('finding 1 ');
  });
}

function placeCases(side: () => MessagesSide): void {
  test('a direct message links to the card', async () => {
    const { question, thread, card } = await begun(side());
    const notice = composeNotification(question, { type: 'dm', link: card }, { file: REPORT });
    const message = postedBy(await side().messages.notify(notice), true);
    const [seen, ...others] = side().seen('dm');
    expect(others).toEqual([]);
    expect(seen).toMatchObject({ message, pings: [question.asker.id], files: [REPORT] });
    expect(seen?.text).toContain(side().addressOf(card));
    expect(side().seen(thread)).toHaveLength(1);
  });

  test('a direct message whose card is gone comes without a link', async () => {
    const { question, card } = await begun(side());
    side().remove(card);
    postedBy(await side().messages.notify(composeNotification(question, { type: 'dm', link: card })), false);
    expect(side().seen('dm')).toHaveLength(1);
  });

  test('refused direct messages are undeliverable', async () => {
    const { question } = await begun(side());
    side().refuseDms();
    const notice = composeNotification(question, { type: 'dm', link: null });
    expect(await kindOf(side().messages.notify(notice))).toBe('undeliverable');
  });

  test('a notice in the channel stands outside any thread', async () => {
    const { question, thread } = await begun(side());
    const before = side().seen('channel').length;
    const message = postedBy(
      await side().messages.notify(composeNotification(question, { type: 'channel' })),
      false,
    );
    expect(side().seen('channel').slice(before)).toMatchObject([{ message, pings: [question.asker.id] }]);
    expect(side().seen(thread)).toHaveLength(1);
  });

  test('where nobody may write, another place is to be tried', async () => {
    const { question, thread } = await begun(side());
    side().shut(thread);
    const failure = await kindOf(
      side().messages.notify(composeNotification(question, { type: 'thread', thread })),
    );
    expect(failure).toMatch(/^(?:undeliverable|gone)$/);
    expect(side().seen(thread)).toHaveLength(1);
  });
}

const REPORT = { name: 'report.md', text: '# why?\n\nBecause.\n' };

async function begun(side: MessagesSide) {
  const question = await side.ask('thread');
  const { thread, card } = await show(side.messages, question, researchView({ text: '> why?' }));
  if (!card) throw new Error('no card was posted');
  return { question, thread, card };
}

type Shown = Parameters<ResearchPlatform['showCard']>[0] & Pick<Question, 'thread'>;

function show(messages: ResearchPlatform, asked: Question, view: View, fields: Partial<Shown> = {}) {
  const { thread = asked.thread, ...rest } = fields;
  const question = { ...asked, thread };
  return messages.showCard({ question, view, card: null, urgency: 'final', isRepeat: false, ...rest });
}

function composeNotification(
  question: Question,
  place: NotificationPlace,
  fields: Partial<ResearchNotification> = {},
): ResearchNotification {
  const view = researchView({ text: 'It was so.' });
  const lead = 'Research finished in 6 min';
  return { question, place, lead, view, file: null, isRepeat: false, ...fields };
}

/** The id of the message that was posted. */
function postedBy(noticed: NotifyResult, hasFile: boolean): string {
  expect(noticed).toMatchObject({ type: 'posted', hasFile });
  return noticed.type === 'posted' ? noticed.message.message : '';
}

function stopOf(question: Question) {
  return { action: 'stop', label: 'Stop', question: question.id } as const;
}

/** Tries as the core does: again, as a repeat, after a failure that another try may cure. */
async function untilDone<T>(run: (isRepeat: boolean) => Promise<T>): Promise<T> {
  try {
    return await run(false);
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'unreachable') throw error;
    return run(true);
  }
}

async function kindOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Failure)) throw new Error(`expected a Failure, got ${String(error)}`);
  return error.kind;
}
