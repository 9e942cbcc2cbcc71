import { expect } from 'vitest';
import type { Question, ThreadRef } from '../../../src/core/types.ts';
import type { MessagesSide, SeenMessage } from '../../contracts/research-messages.ts';
import { liveTokens } from '../../servers/slack/live-tokens.ts';
import type { SlackServer } from '../../servers/slack/server.ts';
import type { SlackServerOptions, VisibleMessage } from '../../servers/slack/types.ts';
import { askIn, connect, GENERAL, openApp } from './setup.ts';

export const ADAS_DM = 'D000000ADA';

/** The Slack side of the contract, with the stand-in for what only Slack does. */
export async function openMessagesSide(
  options: SlackServerOptions = {},
): Promise<MessagesSide & { readonly server: SlackServer }> {
  const connected = await connect(options);
  const { server, app } = connected;
  return {
    server,
    messages: app.platform,
    reopen: async () => (await openApp(server)).platform,
    ask: async (how) => (how === 'thread' ? askIn(server) : commanded(server)),
    seen: (where) => seenIn(server, where),
    addressOf: ({ channel, message }) => `/archives/${channel}/p${message.replace('.', '')}`,
    remove: ({ channel, message }) => server.remove({ channel, ts: message }),
    loseNextAnswer: () => server.fault('chat.postMessage', 'commit-then-reset'),
    shut: ({ channel }) => {
      expect(channel).toBe(GENERAL);
      server.fault(
        'chat.postMessage',
        { error: 'restricted_action_thread_locked' },
        Number.POSITIVE_INFINITY,
      );
    },
    refuseDms: () => server.fault('conversations.open', { error: 'cannot_dm_bot' }, Number.POSITIVE_INFINITY),
    refuseFiles: () =>
      server.fault('files.getUploadURLExternal', { error: 'missing_scope' }, Number.POSITIVE_INFINITY),
    close: () => connected.close(),
  };
}

/** A question as `/research` makes it: the message that its thread hangs on is still to be posted. */
export function commanded(server: SlackServer, channel = GENERAL): Question {
  const { delivery, ...question } = { ...askIn(server, 'somebody talks', channel) };
  return { ...question, delivery, thread: null, message: null, trigger: 'command' };
}

/** Our messages of a place as a person sees them. */
export function seenIn(server: SlackServer, where: ThreadRef | 'dm' | 'channel'): readonly SeenMessage[] {
  const messages =
    where === 'dm'
      ? server.history(ADAS_DM)
      : where === 'channel'
        ? server.history(GENERAL).filter(({ threadTs }) => threadTs === null)
        : server.history(where.channel, where.thread).filter(({ ts }) => ts !== where.thread);
  return messages.filter(({ bot }) => bot).map(seenMessage);
}

function seenMessage(message: VisibleMessage): SeenMessage {
  const tokens = [message.text, message.fallback].flatMap(liveTokens);
  const pings = tokens.flatMap((token) =>
    token.startsWith('<!') ? ['*'] : (/^<@(\w+)/.exec(token)?.slice(1) ?? []),
  );
  return {
    message: message.ts,
    text: message.text,
    pings: [...new Set(pings)],
    buttons: [...message.text.matchAll(/\[([^\]]+)\]$/gm)].flatMap(([, label]) => label ?? []),
    files: message.files.map(({ name, content = '' }) => ({ name, text: content })),
  };
}
