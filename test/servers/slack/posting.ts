/** Messages in Slack's own shape: of other apps, and of people who paste tables or forward messages. */
import { type Context, showMessage } from './context.ts';
import { messagePosted } from './events.ts';
import type { Payload } from './payloads.ts';
import { freshMessage } from './store.ts';
import { typed } from './typing.ts';
import { findChannel, findPerson, TEAM } from './world.ts';

export interface Posting {
  /** Posts a message that is given as Slack shows it, but for where and when. Returns its `ts`. */
  post(what: { channel: string; message: Payload; threadTs?: string }): string;
  /** Somebody forwards messages, with words of their own. Returns the `ts`. */
  share(what: {
    user: string;
    channel: string;
    text: string;
    of: readonly { channel: string; ts: string }[];
  }): string;
}

export function createPosting(context: Context): Posting {
  const { store } = context;
  const post: Posting['post'] = ({ channel, message: shape, threadTs }) => {
    const text = (key: string): string | null => (typeof shape[key] === 'string' ? shape[key] : null);
    const message = freshMessage({
      ts: store.nextTs(),
      channel,
      user: text('user'),
      botId: text('bot_id'),
      text: text('text') ?? '',
      threadTs: threadTs ?? null,
      shape,
    });
    store.add(message);
    messagePosted(context, message);
    return message.ts;
  };
  const shareOf = ({ channel, ts }: { channel: string; ts: string }, index: number): Payload => {
    const message = store.find(channel, ts);
    if (message === undefined) throw new Error(`no such message: ${channel} ${ts}`);
    const shown = showMessage(context, message);
    // Written by the test that posted it.
    const { bot_profile: profile, username } = shown as {
      readonly bot_profile?: { readonly name: string };
      readonly username?: string;
    };
    const author = findPerson(message.user)?.name ?? profile?.name ?? username ?? 'an app';
    const url = `https://${TEAM.domain}.slack.example/archives/${channel}/p${ts.replace('.', '')}`;
    return {
      id: index + 1,
      ts,
      channel_id: channel,
      channel_team: TEAM.id,
      author_id: shown['user'] ?? shown['bot_id'],
      author_name: author,
      author_link: `https://${TEAM.domain}.slack.example/team/${message.user}`,
      is_msg_unfurl: true,
      is_share: true,
      // Where the attachments of a shared message stand is not recorded anywhere: here beside its blocks.
      message_blocks: [
        {
          team: TEAM.id,
          channel,
          ts,
          message: {
            blocks: shown['blocks'] ?? [],
            ...(shown['attachments'] ? { attachments: shown['attachments'] } : {}),
          },
        },
      ],
      ...(shown['files'] ? { files: shown['files'] } : {}),
      text: shown['text'],
      fallback: `[November 30th, 2026 9:00 AM] ${author}: ${String(shown['text'])}`,
      from_url: url,
      original_url: url,
      mrkdwn_in: ['text'],
      footer: `Posted in #${findChannel(channel)?.name}`,
    };
  };
  return {
    post,
    share: ({ user, channel, text, of }) =>
      post({ channel, message: { user, text: typed(text), attachments: of.map(shareOf) } }),
  };
}
