/** Payloads in Slack's shapes, as events and Web API answers carry them. */
import type { Channel, Person, StoredMessage } from './types.ts';
import { BOT, findPerson, OTHER_BOT, PARTNER_TEAM, SLACK, TEAM } from './world.ts';

export type Payload = Readonly<Record<string, unknown>>;

/** A message object as the Web API and `message` events show it; `replies` are those of the thread it is the root of. */
export function messagePayload(
  message: StoredMessage,
  replies: readonly StoredMessage[],
  root: StoredMessage | undefined,
): Payload {
  const { ts, user, threadTs } = message;
  if (message.tombstone)
    return {
      type: 'message',
      subtype: 'tombstone',
      text: 'This message was deleted.',
      user: 'USLACKBOT',
      hidden: true,
      ts,
      thread_ts: ts,
      ...threadFields(replies),
    };
  const thread =
    threadTs === null
      ? replies.length > 0
        ? { thread_ts: ts, ...threadFields(replies) }
        : {}
      : { thread_ts: threadTs, parent_user_id: root?.user ?? undefined };
  if (message.shape)
    return {
      type: 'message',
      ...teamFields(user),
      ...(user === null || message.botId !== null
        ? {}
        : { ...authorFields(message), blocks: blocksOf(message) }),
      ...message.shape,
      ts,
      ...thread,
    };
  return {
    type: 'message',
    ...(message.botId === OTHER_BOT.id ? { subtype: 'bot_message', username: OTHER_BOT.name } : {}),
    ...(message.files.length > 0
      ? { subtype: 'file_share', files: message.files.map(filePayload), upload: false }
      : {}),
    ...(message.broadcast ? { subtype: 'thread_broadcast' } : {}),
    ...(user === null || message.botId === OTHER_BOT.id ? {} : { user }),
    ...authorFields(message),
    ...teamFields(user),
    text: message.markdown ?? message.text,
    ts,
    blocks: blocksOf(message),
    ...(message.editedTs === null ? {} : { edited: { user, ts: message.editedTs } }),
    ...thread,
    ...(message.reactions.length > 0 ? { reactions: message.reactions.map(reactionPayload) } : {}),
  };
}

/**
 * The outer envelope of the Events API. Only `authorizations` names the workspace of the installation: `team_id` is the
 * person's own, and in a channel shared through Slack Connect `context_team_id` is the other workspace. As recorded,
 * an `app_mention` carries no `context_team_id` at all.
 */
export function eventCallback(id: string, channel: Channel, actor: string | null, event: Payload): Payload {
  const contextTeam = channel.shared ? PARTNER_TEAM : TEAM.id;
  return {
    token: 'verification-stand-in',
    team_id: findPerson(actor)?.team ?? TEAM.id,
    ...(event['type'] === 'app_mention' ? {} : { context_team_id: contextTeam, context_enterprise_id: null }),
    api_app_id: BOT.app,
    event,
    type: 'event_callback',
    event_id: id,
    event_time: Math.floor(Date.now() / 1000),
    authorizations: [
      {
        enterprise_id: null,
        team_id: TEAM.id,
        user_id: BOT.user,
        is_bot: true,
        is_enterprise_install: false,
      },
    ],
    is_ext_shared_channel: channel.shared,
    event_context: `4-${id}`,
  };
}

/** What every interactive payload repeats. */
export function interactionBase(
  person: Person,
  channel: Channel,
  triggerId: string,
  responseUrl: string,
): Payload {
  return {
    token: 'verification-stand-in',
    api_app_id: BOT.app,
    team: { id: TEAM.id, domain: TEAM.domain },
    user: { id: person.id, username: person.name, name: person.name, team_id: person.team },
    enterprise: null,
    is_enterprise_install: false,
    channel: { id: channel.id, name: channel.kind === 'im' ? 'directmessage' : channel.name },
    trigger_id: triggerId,
    response_url: responseUrl,
  };
}

/** A channel as `conversations.info` shows it. */
export function channelPayload(channel: Channel): Payload {
  const im = channel.kind === 'im';
  return {
    id: channel.id,
    ...(im ? { user: channel.members[0] } : { name: channel.name, name_normalized: channel.name }),
    is_channel: !im,
    is_group: false,
    is_im: im,
    is_mpim: false,
    is_private: im,
    is_archived: channel.archived,
    is_member: channel.members.includes(BOT.user),
    is_ext_shared: channel.shared,
    is_org_shared: false,
    context_team_id: TEAM.id,
    shared_team_ids: channel.shared ? [TEAM.id, PARTNER_TEAM] : [TEAM.id],
  };
}

/** A user as `users.info` shows it. */
export function userPayload(person: Person | 'bot'): Payload {
  const { id, name, team } = person === 'bot' ? { id: BOT.user, name: BOT.name, team: TEAM.id } : person;
  const realName = name.charAt(0).toUpperCase() + name.slice(1);
  return {
    id,
    team_id: team,
    name,
    deleted: false,
    real_name: realName,
    tz: 'Europe/Berlin',
    is_bot: person === 'bot',
    is_stranger: team !== TEAM.id,
    profile: { real_name: realName, display_name: name, team },
  };
}

function threadFields(replies: readonly StoredMessage[]): Payload {
  return {
    reply_count: replies.length,
    reply_users: [...new Set(replies.map((reply) => reply.user))],
    latest_reply: replies.at(-1)?.ts,
  };
}

function teamFields(user: string | null): Payload {
  const team = findPerson(user)?.team ?? TEAM.id;
  return team === TEAM.id ? { team } : { team, user_team: team, source_team: team };
}

function authorFields({ botId, user, ts }: StoredMessage): Payload {
  if (botId !== null) return botFields(botId);
  return user === SLACK ? {} : { client_msg_id: clientId(ts) };
}

function botFields(botId: string): Payload {
  const bot = botId === BOT.id ? BOT : OTHER_BOT;
  return {
    bot_id: bot.id,
    app_id: bot.app,
    bot_profile: { id: bot.id, app_id: bot.app, name: bot.name, deleted: false, team_id: TEAM.id },
  };
}

/** Slack shows Markdown and people's typing as rich text; here it is one section, without styles. */
function blocksOf(message: StoredMessage): readonly unknown[] {
  const text = message.markdown ?? (message.blocks.length === 0 ? message.text : '');
  if (text === '') return message.blocks;
  const elements = message.markdown === null ? richElements(text) : [{ type: 'text', text }];
  const section = { type: 'rich_text_section', elements };
  return [
    { type: 'rich_text', block_id: clientId(message.ts).slice(0, 5), elements: [section] },
    ...message.blocks,
  ];
}

/** The elements of what a person has typed: unescaped, and without the labels of mentions. */
function richElements(text: string): readonly Payload[] {
  return text.split(/<([^<>]+)>/).flatMap((part, index): Payload[] => {
    if (index % 2 === 0) return part === '' ? [] : [{ type: 'text', text: unescaped(part) }];
    const [target = '', label] = part.split('|');
    const id = target.slice(1);
    if (target.startsWith('@')) return [{ type: 'user', user_id: id }];
    if (target.startsWith('#')) return [{ type: 'channel', channel_id: id }];
    if (target.startsWith('!subteam^')) return [{ type: 'usergroup', usergroup_id: id.split('^')[1] }];
    if (target.startsWith('!')) return [{ type: 'broadcast', range: id }];
    return [
      { type: 'link', url: unescaped(target), ...(label === undefined ? {} : { text: unescaped(label) }) },
    ];
  });
}

function unescaped(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

export function filePayload(file: StoredMessage['files'][number]): Payload {
  const { id, name, mimetype, size, url = `https://files.example/${id}/${encodeURIComponent(name)}` } = file;
  return { id, name, title: name, mimetype, filetype: name.split('.').at(-1), size, url_private: url };
}

function reactionPayload(reaction: StoredMessage['reactions'][number]): Payload {
  return { ...reaction, count: reaction.users.length };
}

function clientId(ts: string): string {
  return `${ts.replace('.', '').slice(-12)}-msg`;
}
