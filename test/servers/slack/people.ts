/** The human side: what people write, change, delete and press. Each returns at once; events follow as Slack sends them. */
import { interactiveElements } from './blocks.ts';
import { type Context, showMessage } from './context.ts';
import { happened, messageChanged, messageDeleted, messagePosted, sessionStopped } from './events.ts';
import { interactionBase } from './payloads.ts';
import { respond } from './response-urls.ts';
import type { ResponseTarget } from './responses.ts';
import { freshMessage } from './store.ts';
import {
  type Channel,
  type Person,
  type SharedFile,
  SlackError,
  type StoredFile,
  type StoredMessage,
} from './types.ts';
import { typed } from './typing.ts';
import { dmId, findChannel, findPerson, OTHER_BOT, SLACK, TEAM } from './world.ts';

export interface People {
  /**
   * Writes a message and returns its `ts`. `text` is as typed: `@footnote` or a `<@U…>` token mentions, `& < >` are escaped.
   * In a channel a mention of the bot arrives twice (`message` and `app_mention`), in a DM once.
   */
  say(what: {
    user: string;
    channel: string;
    text: string;
    threadTs?: string;
    files?: readonly SharedFile[];
    /** Also sent to the channel of its thread. */
    broadcast?: boolean;
  }): string;
  edit(what: { channel: string; ts: string; text: string }): void;
  remove(what: { channel: string; ts: string }): void;
  /** Sends a slash command, anywhere, even where the bot is not a member. Returns its trigger id. */
  command(what: { user: string; channel: string; command: string; text: string }): string;
  /** Uses a message shortcut. Returns its trigger id. */
  shortcut(what: { user: string; channel: string; ts: string; callbackId: string }): string;
  /** Presses a button that is there; `value` chooses among several of one action. Returns its trigger id. */
  press(what: { user: string; channel: string; ts: string; actionId: string; value?: string }): string;
  /** Uses Slack's own Stop in a thread. */
  stopSession(what: { user: string; channel: string; threadTs: string }): void;
  /** Another app's bot writes a message. Returns its `ts`. */
  otherBot(what: { channel: string; text: string; threadTs?: string }): string;
  /** Slack itself writes to a person's conversation with the bot. Returns its `ts`. */
  notice(what: { user: string; text: string }): string;
  /**
   * Delivers an inner event that the methods above have no way to cause, as it is given but for what is missing of
   * `channel`, `channel_type` (not for `app_mention`), `ts`, `event_ts`. Returns its `ts`.
   */
  event(what: { channel: string; event: Readonly<Record<string, unknown>> }): string;
}

export function createPeople(context: Context): People {
  const { store, deliveries, responses } = context;

  const post = (channel: Channel, message: StoredMessage): string => {
    if (channel.archived) throw new Error(`${channel.name} is archived`);
    const root = message.threadTs === null ? undefined : store.find(channel.id, message.threadTs);
    if (message.threadTs !== null && (root === undefined || root.threadTs !== null))
      throw new Error(`no such thread: ${message.threadTs}`);
    store.add(message);
    messagePosted(context, message);
    return message.ts;
  };
  const message = (channel: string, ts: string): StoredMessage => {
    const found = store.find(channel, ts);
    if (found === undefined) throw new Error(`no such message: ${channel} ${ts}`);
    return found;
  };
  const interact = (
    type: 'slash_commands' | 'interactive',
    target: ResponseTarget,
    label: string,
    payload: (trigger: string, responseUrl: string) => Readonly<Record<string, unknown>>,
  ): string => {
    const trigger = responses.trigger(Date.now());
    const failed = (reason: string): void => {
      const text = `${label} failed with the error "${reason}"`;
      const { channel, user, threadTs } = target;
      store.ephemerals.push({ ts: store.nextTs(), channel, user, text, blocks: [], threadTs, from: 'slack' });
      store.changed();
    };
    deliveries.send({
      id: trigger,
      type,
      payload: payload(trigger, `${context.origin}${responses.url(target)}`),
      late: () => failed('operation_timeout'),
      acked(response) {
        if (type !== 'slash_commands' || Object.keys(response).length === 0) return;
        try {
          respond(context, target, response);
        } catch (error) {
          failed(error instanceof SlackError ? error.code : String(error));
        }
      },
    });
    return trigger;
  };

  return {
    say({ user, channel, text, threadTs, files, broadcast }) {
      const place = memberChannel(channel, user);
      return post(
        place,
        freshMessage({
          ts: store.nextTs(),
          channel,
          user,
          text: typed(text),
          threadTs: threadTs ?? null,
          broadcast: broadcast ?? false,
          files: (files ?? []).map((file) => shareFile(context, file)),
        }),
      );
    },
    edit({ channel, ts, text }) {
      const found = message(channel, ts);
      const previous = showMessage(context, found);
      found.text = typed(text);
      found.editedTs = store.nextTs();
      store.changed();
      messageChanged(context, found, previous);
    },
    remove({ channel, ts }) {
      const found = message(channel, ts);
      const previous = showMessage(context, found);
      store.remove(found);
      messageDeleted(context, found, previous);
    },
    command({ user, channel, command, text }) {
      const place = memberChannel(channel, user);
      const person = personOf(user);
      return interact('slash_commands', target(place, person), command, (trigger, responseUrl) => ({
        token: 'verification-stand-in',
        team_id: TEAM.id,
        team_domain: TEAM.domain,
        channel_id: place.id,
        channel_name: place.kind === 'im' ? 'directmessage' : place.name,
        user_id: person.id,
        user_name: person.name,
        command,
        text: typed(text),
        api_app_id: 'A0FOOTNOTE',
        is_enterprise_install: 'false',
        response_url: responseUrl,
        trigger_id: trigger,
      }));
    },
    shortcut({ user, channel, ts, callbackId }) {
      const place = memberChannel(channel, user);
      const person = personOf(user);
      const about = message(channel, ts);
      return interact('interactive', target(place, person, about), callbackId, (trigger, responseUrl) => ({
        ...interactionBase(person, place, trigger, responseUrl),
        type: 'message_action',
        callback_id: callbackId,
        action_ts: store.nextTs(),
        message_ts: ts,
        message: showMessage(context, about),
      }));
    },
    press({ user, channel, ts, actionId, value }) {
      const place = memberChannel(channel, user);
      const person = personOf(user);
      const about = message(channel, ts);
      const action = pressed(about, actionId, value);
      return interact('interactive', target(place, person, about), actionId, (trigger, responseUrl) => ({
        ...interactionBase(person, place, trigger, responseUrl),
        type: 'block_actions',
        container: {
          type: 'message',
          message_ts: ts,
          channel_id: channel,
          is_ephemeral: false,
          ...(about.threadTs === null ? {} : { thread_ts: about.threadTs }),
        },
        message: showMessage(context, about),
        state: { values: {} },
        actions: [{ ...action, action_ts: store.nextTs() }],
      }));
    },
    stopSession: ({ user, channel, threadTs }) => sessionStopped(context, message(channel, threadTs), user),
    otherBot({ channel, text, threadTs }) {
      const place = findChannel(channel);
      if (place === undefined) throw new Error(`no such channel: ${channel}`);
      const { user, id: botId } = OTHER_BOT;
      const ts = store.nextTs();
      return post(
        place,
        freshMessage({ ts, channel, user, botId, text: typed(text), threadTs: threadTs ?? null }),
      );
    },
    notice({ user, text }) {
      const place = memberChannel(dmId(user), user);
      return post(place, freshMessage({ ts: store.nextTs(), channel: place.id, user: SLACK, text }));
    },
    event({ channel, event }) {
      const place = findChannel(channel);
      if (place === undefined) throw new Error(`no such channel: ${channel}`);
      const ts = store.nextTs();
      const kind = event['type'] === 'app_mention' ? {} : { channel_type: place.kind };
      const actor = typeof event['user'] === 'string' ? event['user'] : null;
      happened(context, place, actor, { channel, ...kind, ts, event_ts: ts, ...event });
      return ts;
    },
  };
}

function memberChannel(channel: string, user: string): Channel {
  const found = findChannel(channel);
  if (found?.members.includes(user) !== true) throw new Error(`${user} is not in ${channel}`);
  return found;
}

function personOf(user: string): Person {
  const person = findPerson(user);
  if (person === undefined) throw new Error(`no such person: ${user}`);
  return person;
}

function target(channel: Channel, person: Person, about?: StoredMessage): ResponseTarget {
  return {
    channel: channel.id,
    user: person.id,
    message: about?.ts ?? null,
    threadTs: about?.threadTs ?? null,
  };
}

function pressed(
  message: StoredMessage,
  actionId: string,
  value: string | undefined,
): Readonly<Record<string, unknown>> {
  for (const { blockId, element } of interactiveElements(message.blocks)) {
    const matches = element['action_id'] === actionId;
    if (matches && element['type'] === 'feedback_buttons')
      return { type: 'feedback_buttons', action_id: actionId, block_id: blockId, value };
    if (matches && (value === undefined || element['value'] === value))
      return { ...element, block_id: blockId };
  }
  throw new Error(`no such button under ${message.ts}: ${actionId}`);
}

function shareFile({ files, origin }: Context, { bytes, ...file }: SharedFile): StoredFile {
  const id = `F0STANDIN${files.shared.size}`;
  const stored = { id, name: 'notes.txt', mimetype: 'text/plain', size: bytes?.length ?? 100, ...file };
  const path = `/files-pri/T0-${id}/${encodeURIComponent(stored.name)}`;
  files.shared.set(path, { bytes: bytes ?? null, type: stored.mimetype });
  return bytes ? { url: `${origin}${path}`, ...stored } : stored;
}
