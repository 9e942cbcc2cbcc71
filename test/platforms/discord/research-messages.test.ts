import { openDiscord } from '../../../src/platforms/discord/app.ts';
import {
  type MessagesSide,
  researchMessagesContract,
  type SeenMessage,
} from '../../contracts/research-messages.ts';
import { quietLog } from '../../core/fakes.ts';
import { startDiscordServer } from '../../servers/discord/discord-server.ts';
import type { VisibleMessage } from '../../servers/discord/visible.ts';
import { job } from './research-setup.ts';
import { written } from './setup.ts';

researchMessagesContract('Discord', async (): Promise<MessagesSide> => {
  const server = await startDiscordServer();
  const base = { token: server.token, applicationId: null, apiUrl: server.apiUrl, messageContent: true };
  const apps: Awaited<ReturnType<typeof openDiscord>>[] = [];
  const open = async () => {
    const app = await openDiscord({ ...base, threads: 'always', log: quietLog });
    apps.push(app);
    return app.platform;
  };
  return {
    messages: await open(),
    reopen: open,
    async ask(how) {
      if (how === 'command') {
        return job(server, { trigger: 'command', thread: null, message: null });
      }
      const root = server.say({ user: 'grace', channel: 'general', content: 'The tower' });
      const thread = server.makeThread({
        user: 'grace',
        channel: 'general',
        name: 'The tower',
        message: root,
      });
      return job(server, { in: thread });
    },
    seen(where) {
      const name = where === 'dm' ? '@ada' : where === 'channel' ? 'general' : where.channel;
      return written(server, name).map((message) => seenOf(message));
    },
    addressOf: ({ workspace, channel, message }) => `discord.com/channels/${workspace}/${channel}/${message}`,
    remove: ({ channel, message }) => server.remove({ channel, message }),
    loseNextAnswer: () => server.fault('POST /channels/:channel/messages', 'commit-then-reset'),
    shut: ({ channel }) => server.archive(channel, { locked: true }),
    refuseDms: () => server.refuseDms('ada'),
    refuseFiles: () => server.deny('general', ['ATTACH_FILES']),
    async close() {
      for (const app of apps) await app.stop();
      await server.close();
    },
  };
});

function seenOf({ id, content, mentions, components, attachments }: VisibleMessage): SeenMessage {
  // The stand-in has checked the shape of components when they were posted.
  const rows = components as unknown as readonly {
    readonly components: readonly { readonly label: string }[];
  }[];
  return {
    message: id,
    text: content,
    pings: mentions.map((mention) => (mention === 'everyone' ? '*' : mention)),
    buttons: rows.flatMap((row) => row.components.map(({ label }) => label)),
    files: attachments.map(({ filename, text }) => ({ name: filename, text })),
  };
}
