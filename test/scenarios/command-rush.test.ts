import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { type ServiceProcess, startService } from '../support/service.ts';
import { type DiscordSide, startDiscordSide, until } from '../support/sides.ts';

/** Discord lets the bot post five messages in five seconds in a channel, so that replies pile up. */
describe('a person who is heard more often than can be replied to', () => {
  let side: DiscordSide;
  let perplexity: PerplexityServer;
  let service: ServiceProcess;

  beforeAll(async () => {
    side = await startDiscordSide();
    perplexity = await startPerplexityServer();
    service = await startService({ ...side.connection, perplexity });
  });
  afterAll(async () => {
    await service.kill('SIGKILL');
    await Promise.all([side.close(), perplexity.close()]);
  });

  const replies = () => side.server.history('general').filter(({ author }) => author.bot);

  test.each(['!help', 'research: how do cities cool', '!jobs'])(
    'keeps nobody waiting with %s',
    async (text) => {
      const before = replies().length;
      for (let n = 0; n < 40; n++) side.mention(text, 0);
      await until(side, 'the first replies', 20_000, () => replies().length >= before + 3);
      const asked = side.mention('!help', 1);
      const isReplied = () => replies().some(({ referencedMessage }) => referencedMessage === asked.thread);
      await until(side, 'the reply to somebody else', 30_000, isReplied);
      expect(replies().length).toBeLessThan(before + 20);
    },
  );
});
