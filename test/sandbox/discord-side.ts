import type { DiscordServer } from '../servers/discord/discord-server.ts';
import type { ChannelState, DiscordState, Json, MessageState } from '../servers/discord/state.ts';
import type { Activity, PageButton, PageChannel, PageMessage, Piece, Side } from './page-state.ts';

const PEOPLE = new Set(['ada', 'grace', 'linus']);
const CHANNELS: Readonly<Record<string, string | null>> = {
  general: null,
  random: null,
  'no-threads': 'The bot may not start threads here.',
};
/** A typing indicator goes away by itself after this long, or when its writer has written. */
const TYPING_MS = 10_000;
const LOADING = 1 << 7;
/** System messages about a thread: "started a thread" and the copy of the starter inside it. */
const THREAD_NOTES = new Set([18, 21]);
const BUTTON = 2;
const TEXT_DISPLAY = 10;

/** Discord as the page shows it: a thread's messages carry the parent as their channel. */
export function discordSide(discord: DiscordServer, now: number): Side {
  const state = discord.snapshot();
  const people = state.people.filter(({ username }) => PEOPLE.has(username));
  const channels = state.channels.flatMap((channel) => pageChannel(channel, people));
  const shown = new Set(channels.map(({ id }) => id));
  const threads = state.channels.flatMap(({ id, parent, kind, name }) =>
    kind === 'thread' && parent !== null && shown.has(parent) ? [{ id, channel: parent, name }] : [],
  );
  const placeOf = (channel: string): Place | null => {
    if (shown.has(channel)) return { channel, thread: null };
    const thread = threads.find(({ id }) => id === channel);
    return thread ? { channel: thread.channel, thread: channel } : null;
  };
  return {
    connected: discord.gateway.sessions() > 0,
    workspace: state.guild.name,
    bot: { id: state.botUser.id, name: state.botUser.username },
    people: people.map(({ id, globalName }) => ({ id, name: globalName })),
    channels,
    threads,
    messages: Object.entries(state.messages).flatMap(([channel, messages]) => {
      const place = placeOf(channel);
      if (place === null) return [];
      return messages
        .filter(({ type }) => !THREAD_NOTES.has(type))
        .map((one) => pageMessage(state, one, place));
    }),
    activities: typing(discord, state, now).flatMap((channel): Activity[] => {
      const place = placeOf(channel);
      return place ? [{ ...place, text: 'is typing…' }] : [];
    }),
  };
}

/** The text of an attachment; null when there is none. */
export function discordFile(discord: DiscordServer, id: string): string | null {
  const messages = Object.values(discord.snapshot().messages).flat();
  const files = messages.flatMap(({ attachments }) => attachments);
  return files.find((file) => file.id === id)?.text ?? null;
}

interface Place {
  readonly channel: string;
  readonly thread: string | null;
}

function pageChannel(channel: ChannelState, people: DiscordState['people']): PageChannel[] {
  const { id, name, kind, recipient } = channel;
  if (kind === 'dm') {
    const isShown = people.some((person) => person.id === recipient);
    return isShown ? [{ id, name: 'footnote', kind: 'dm', owner: recipient, note: null }] : [];
  }
  const note = CHANNELS[name];
  return kind === 'text' && note !== undefined ? [{ id, name, kind: 'channel', owner: null, note }] : [];
}

function typing(discord: DiscordServer, state: DiscordState, now: number): readonly string[] {
  const live = discord.typing.filter(({ at }) => now - at < TYPING_MS);
  const isWaitedFor = ({ channel, at }: { channel: string; at: number }): boolean =>
    !state.messages[channel]?.some((message) => message.author.bot && message.createdAt > at);
  return [...new Set(live.filter(isWaitedFor).map(({ channel }) => channel))];
}

function pageMessage(state: DiscordState, message: MessageState, place: Place): PageMessage {
  const { id, author, createdAt, editedAt, interaction, flags, reference, type } = message;
  return {
    id,
    ...place,
    author: {
      id: author.id,
      name: author.globalName ?? author.username,
      kind: author.bot ? 'bot' : 'person',
    },
    at: createdAt,
    pieces: [...usedCommand(state, interaction), ...body(message, (flags & LOADING) !== 0)],
    // Discord has no streams: the service marks an answer it is still writing.
    streaming: author.bot && /▌\s*$/.test(message.content),
    edited: editedAt !== null,
    onlyFor: message.ephemeralTo,
    reactions: message.reactions.map(({ emoji, users }) => ({ emoji, count: users.length })),
    repliesTo: type === 19 ? (reference?.message ?? null) : null,
    files: message.attachments.map(({ id, filename, size, text }) => ({
      name: filename,
      size,
      path: text === '' ? null : `/api/file/discord/${id}`,
      link: null,
    })),
    pings: author.bot ? message.mentions : [],
  };
}

function usedCommand(state: DiscordState, interaction: MessageState['interaction']): readonly Piece[] {
  if (interaction === null || interaction.type !== 2) return [];
  const person = state.people.find(({ id }) => id === interaction.user)?.globalName ?? 'Somebody';
  const name = state.interactions.find(({ id }) => id === interaction.id)?.name ?? 'a command';
  return [
    { type: 'small', dialect: 'plain', text: `${person} used ${/^[a-z]/.test(name) ? '/' : ''}${name}` },
  ];
}

function body(message: MessageState, isLoading: boolean): readonly Piece[] {
  const text = isLoading && message.content === '' ? 'is thinking…' : message.content;
  const embeds = message.embeds.flatMap((embed): Piece[] => [
    ...(typeof embed['title'] === 'string' ? [{ type: 'heading' as const, text: embed['title'] }] : []),
    ...(typeof embed['description'] === 'string' ? [textPiece(embed['description'])] : []),
  ]);
  const content = text === '' ? [] : [textPiece(text)];
  return [...content, ...embeds, ...componentPieces(message.components)];
}

function textPiece(text: string): Piece {
  return { type: 'text', dialect: 'discord', text };
}

function componentPieces(components: readonly Json[]): readonly Piece[] {
  return components.flatMap((component): readonly Piece[] => {
    if (component['type'] === TEXT_DISPLAY) return [textPiece(String(component['content']))];
    const children = Array.isArray(component['components']) ? (component['components'] as Json[]) : [];
    const buttons = children.filter((child) => child['type'] === BUTTON && child['custom_id'] !== undefined);
    if (buttons.length > 0) return [{ type: 'buttons', buttons: buttons.map(pageButton) }];
    return componentPieces(children);
  });
}

function pageButton(button: Json): PageButton {
  const label = typeof button['label'] === 'string' ? button['label'] : 'Button';
  return { label, action: String(button['custom_id']), value: null };
}
