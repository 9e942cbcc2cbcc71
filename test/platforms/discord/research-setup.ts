/** Discord's research board against the stand-in, and a job for it. */
import { onTestFinished } from 'vitest';
import type { ResearchNotification, ResearchPlatform } from '../../../src/core/research/ports.ts';
import type { MessageRef, Question, ThreadRef, View } from '../../../src/core/types.ts';
import { type DiscordApp, openDiscord } from '../../../src/platforms/discord/app.ts';
import { quietLog } from '../../core/fakes.ts';
import { type DiscordServer, startDiscordServer } from '../../servers/discord/discord-server.ts';
import { channelId, mention, SOURCES, written } from './setup.ts';

export interface Board {
  readonly server: DiscordServer;
  readonly app: DiscordApp;
  readonly board: ResearchPlatform;
  /** Discord's clock goes on by so many minutes; ours stays. */
  later(minutes: number): void;
}

const MINUTE_MS = 60_000;

/** @param ahead minutes that Discord's clock is ahead of ours at first */
export async function openBoard(
  options: Parameters<typeof startDiscordServer>[0] & {
    readonly threads?: 'always' | 'never';
    readonly ahead?: number;
  } = {},
): Promise<Board> {
  const { threads = 'always', ahead = 0, ...rest } = options;
  let aheadMs = ahead * MINUTE_MS;
  const server = await startDiscordServer({ now: () => Date.now() + aheadMs, ...rest });
  const base = { token: server.token, applicationId: null, apiUrl: server.apiUrl, messageContent: true };
  const app = await openDiscord({ ...base, threads, log: quietLog });
  onTestFinished(async () => {
    await app.stop();
    await server.close();
  });
  const later = (minutes: number): void => void (aheadMs += minutes * MINUTE_MS);
  return { server, app, board: app.platform, later };
}

/** A job that Ada asks for with a mention in a channel or thread. */
export function job(
  server: DiscordServer,
  fields: Partial<Question> & { readonly in?: string } = {},
): Question {
  const { in: name = 'general', ...rest } = fields;
  const channel = server.channels.find(({ id }) => id === name)?.id ?? channelId(server, name);
  const message = server.say({ user: 'ada', channel, content: mention(server, 'research: How tall?') });
  const workspace = name.startsWith('@') ? '@me' : server.guild.id;
  const home = server.channels.find(({ id }) => id === channel)?.kind === 'text' ? message : channel;
  return {
    id: '00000000-0000-5000-8000-00000000000a',
    platform: 'discord',
    workspace,
    channel,
    thread: { platform: 'discord', workspace, channel: home, thread: home },
    message: { platform: 'discord', workspace, channel, message },
    repliesTo: null,
    trigger: 'mention',
    asker: { id: server.people[0]?.id ?? '', name: 'Ada' },
    text: 'How tall?',
    quotes: [],
    attachments: [],
    title: null,
    addressesOthers: false,
    overrides: {},
    research: { effort: 'medium', notify: 'here' },
    delivery: {},
    askedAt: Date.now(),
    ...rest,
  };
}

/** What a card shows; `stop`: the job that its button stops. */
export function cardView(text: string, stop?: Question): View {
  const buttons = stop ? [{ action: 'stop', label: 'Stop', question: stop.id } as const] : [];
  return { state: 'done', status: '', text, sources: [], notices: [], footer: null, buttons };
}

/** Shows a card the way the core does. */
export function show(
  board: ResearchPlatform,
  question: Question,
  text: string,
  {
    thread = question.thread,
    ...given
  }: Partial<Parameters<ResearchPlatform['showCard']>[0]> & { thread?: ThreadRef | null } = {},
): ReturnType<ResearchPlatform['showCard']> {
  const view = cardView(text, question);
  return board.showCard({
    question: { ...question, thread },
    card: null,
    view,
    urgency: 'final',
    isRepeat: false,
    ...given,
  });
}

/** A notification into the thread of the job. */
export function noticeIn(
  thread: ThreadRef,
  question: Question,
  fields: Partial<ResearchNotification> = {},
): ResearchNotification {
  const buttons = [{ action: 'sources', label: 'All 2 sources', question: question.id } as const];
  const text = '## Summary\nIt is 330 m tall [1] and stands in a city [2].';
  return {
    question,
    place: { type: 'thread', thread },
    lead: 'Research finished in 6 min',
    view: { ...cardView(text), sources: SOURCES, footer: 'sonar-deep-research · 2 sources', buttons },
    file: { name: 'how-tall.md', text: '# How tall?\n\nIt is 330 m tall.' },
    isRepeat: false,
    ...fields,
  };
}

/** A job with its card posted. */
export async function started(
  { server, board }: Board,
  fields: Parameters<typeof job>[1] = {},
): Promise<{ question: Question; thread: ThreadRef; card: MessageRef }> {
  const question = job(server, fields);
  const { thread, card } = await show(board, question, 'R-4F2K · Queued');
  if (!card) throw new Error('no card');
  return { question, thread, card };
}

export const POST = 'POST /channels/:channel/messages';
export const EDIT = 'PATCH /channels/:channel/messages/:message';

/** Everything of ours that a thread shows behind the card. */
export function behindCard(server: DiscordServer, channel: string): ReturnType<typeof written> {
  return written(server, channel).slice(1);
}
