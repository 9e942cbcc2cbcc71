import { channelNamed, messageIn, personNamed } from './lookup.ts';
import type { AllowedMentions } from './mentions.ts';
import { addMessage, type Draft } from './messages.ts';
import type { AttachmentState, Author, ChannelState, Json, MessageState } from './state.ts';
import { authorOf, type World } from './world.ts';

interface SaidFile {
  readonly filename: string;
  readonly contentType?: string;
  readonly text?: string;
  /** What is served in place of a text. */
  readonly bytes?: Uint8Array;
  /** Bytes; the length of the content when left out. */
  readonly size?: number;
  /** What it was called, where its name had characters that Discord takes out. */
  readonly title?: string;
  /** What is to be read in place of a picture. */
  readonly description?: string;
}

/** Users and channels are given by id or by name. */
export interface Said {
  readonly user: string;
  readonly channel: string;
  readonly content: string;
  /** The message it replies to. */
  readonly replyTo?: string;
  /** Whether the reply notifies its author; true as in the client. */
  readonly ping?: boolean;
  readonly attachments?: readonly SaidFile[];
  /** The id of a message, in any channel, that is forwarded. */
  readonly forwardOf?: string;
  /** The names of its stickers. */
  readonly stickers?: readonly string[];
  readonly poll?: SaidPoll;
  /** A voice message of so many seconds. */
  readonly voice?: number;
  /** The previews of its links. */
  readonly embeds?: readonly Json[];
}

interface SaidPoll {
  readonly question: string;
  readonly answers: readonly string[];
  /** In the order of the answers; Discord may leave them out. */
  readonly counts?: readonly number[];
}

/** What another bot, or a webhook, posts. */
export interface Sent extends Partial<Omit<Said, 'user' | 'channel' | 'forwardOf' | 'voice'>> {
  readonly channel: string;
  readonly webhook?: boolean;
  /** How the webhook calls itself. */
  readonly name?: string;
  readonly components?: readonly Json[];
  /** The name of the command it responds to, and who used that; by way of the menu of a message with `menu`. */
  readonly command?: { readonly name: string; readonly user: string; readonly menu?: boolean };
  /** Follows an announcement channel: the message is one of that channel. */
  readonly crosspost?: boolean;
}

const FLAG = { isCrosspost: 1 << 1, voice: 1 << 13, componentsV2: 1 << 15 } as const;
/** Buttons and menus, in rows, are all that there was before. */
const ROW = 1;

/** People mention users and roles; `@everyone` only works for those who may. */
export function allowedFor(everyone: boolean, ping: boolean): AllowedMentions {
  return { parse: everyone ? ['users', 'roles', 'everyone'] : ['users', 'roles'], replied_user: ping };
}

/** @param id that of the forum post which the message begins */
export function say(world: World, said: Said, isEveryone: boolean, id?: string): MessageState {
  const channel = channelNamed(world, said.channel);
  if (channel.kind === 'forum') throw new Error('a forum has posts only');
  if (channel.thread?.locked) throw new Error('the thread is locked');
  const person = personNamed(world, said.user);
  const isStranger = channel.recipient !== null && channel.recipient !== person.id;
  if (isStranger) throw new Error(`${said.user} cannot write in somebody else's DM`);
  const isVoice = said.voice !== undefined;
  return addMessage(world, {
    ...draftOf(world, channel, said),
    author: authorOf(person),
    allowed: allowedFor(isEveryone, said.ping ?? true),
    ...(isVoice && { flags: FLAG.voice, attachments: [voiceFile(world, said.voice ?? 0)] }),
    ...(id !== undefined && { id }),
  });
}

/** Posts as another bot or a webhook. */
export function send(world: World, sent: Sent, author: Author): MessageState {
  const channel = channelNamed(world, sent.channel);
  const { components = [], command, crosspost } = sent;
  const isV2 = components.some(({ type }) => type !== ROW);
  const source = world.nextId();
  return addMessage(world, {
    ...draftOf(world, channel, sent),
    author,
    allowed: allowedFor(false, true),
    components,
    flags: (isV2 ? FLAG.componentsV2 : 0) | (crosspost ? FLAG.isCrosspost : 0),
    ...(crosspost && { type: 0, reference: { type: 0, channel: source, message: source } }),
    ...(command && {
      type: command.menu ? 23 : 20,
      interaction: { id: source, user: personNamed(world, command.user).id, type: 2, name: command.name },
    }),
  });
}

function draftOf(
  world: World,
  channel: ChannelState,
  said: Partial<Said>,
): Omit<Draft, 'author' | 'allowed'> {
  const { content = '', attachments = [], stickers = [], embeds = [], poll } = said;
  return {
    channel,
    content,
    embeds,
    attachments: attachments.map((file) => toAttachment(world, file)),
    stickers: stickers.map((name) => ({ id: world.nextId(), name, format_type: 1 })),
    poll: poll ? pollPayload(poll) : null,
    ...referenceOf(world, channel, said),
  };
}

function toAttachment(world: World, file: SaidFile): AttachmentState {
  const { filename, contentType = null, text = '', bytes, title, description } = file;
  const size = file.size ?? bytes?.length ?? Buffer.byteLength(text);
  const more = { ...(title !== undefined && { title }), ...(description !== undefined && { description }) };
  const data = bytes && { data: Buffer.from(bytes).toString('base64') };
  return { id: world.nextId(), filename, contentType, size, text, ...data, more };
}

function voiceFile(world: World, seconds: number): AttachmentState {
  const more = { duration_secs: seconds, waveform: 'FzYACgAAAAAAACQAAAAAAAA=' };
  const file = { filename: 'voice-message.ogg', contentType: 'audio/ogg', size: 4_000 * seconds, text: '' };
  return { id: world.nextId(), ...file, more };
}

function pollPayload({ question, answers, counts }: SaidPoll): Json {
  return {
    question: { text: question },
    answers: answers.map((text, index) => ({ answer_id: index + 1, poll_media: { text } })),
    expiry: '2030-01-01T00:00:00.000000+00:00',
    allow_multiselect: false,
    layout_type: 1,
    ...(counts && {
      results: {
        is_finalized: false,
        answer_counts: counts.map((count, index) => ({ id: index + 1, count, me_voted: false })),
      },
    }),
  };
}

function referenceOf(
  world: World,
  channel: ChannelState,
  said: Partial<Said>,
): Partial<Pick<MessageState, 'reference' | 'snapshots'>> {
  if (said.replyTo !== undefined) {
    const target = messageIn(world, channel.id, said.replyTo);
    return { reference: { type: 0, channel: channel.id, message: target.id } };
  }
  if (said.forwardOf === undefined) return {};
  const all = Object.values(world.state.messages).flat();
  const target = all.find(({ id }) => id === said.forwardOf);
  if (!target) throw new Error(`no message ${said.forwardOf} to forward`);
  const {
    content,
    type,
    flags,
    createdAt: timestamp,
    attachments,
    embeds,
    components,
    stickers = [],
    mentions,
  } = target;
  return {
    reference: { type: 1, channel: target.channel, message: target.id },
    snapshots: [{ content, type, flags, timestamp, attachments, embeds, components, stickers, mentions }],
  };
}
