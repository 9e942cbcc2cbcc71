import { describe, expect, test } from 'vitest';
import { liveTokens, pings } from '../servers/discord/checks.ts';
import { channelId, rest, startServer } from './setup.ts';

const ID = '123456789012345678';

describe('live tokens', () => {
  test.each([
    [`hi <@${ID}> and <@!${ID}>`, ['user', 'user']],
    [`<@&${ID}> in <#${ID}> with </ask:${ID}>`, ['role', 'channel', 'command']],
    ['@everyone, @here', ['everyone', 'everyone']],
    ['[bank.com](http://evil.example)', ['masked-link']],
    ['see https://a.example/x.', ['bare-link']],
    ['see <https://a.example>', ['bare-link']],
    ['write to <a@b.example>', ['contact']],
    ['[@everyone](<https://a.example>)', ['masked-link', 'everyone']],
    ['[](https://a.example)', ['bare-link']],
    ['``` unclosed @everyone', ['everyone']],
    ['`unclosed @here', ['everyone']],
    ['\\`@here\\`', ['everyone']],
    ['\\[x](https://a.example)', ['bare-link']],
  ])('are found in %s', (content, kinds) => {
    expect(liveTokens(content).map(({ kind }) => kind)).toEqual(kinds);
  });

  test.each([
    '`@everyone` and ``<@123>`` and `[x](https://a.example)`',
    '```\n@everyone https://a.example\n```',
    '@\u200beveryone',
    `\\<@${ID}>`,
    'https[:]//a.example [1] [x](not a link)',
    'a < b > c @ d',
  ])('are absent from %s', (content) => {
    expect(liveTokens(content)).toEqual([]);
  });

  test('say where a link leads and whether a preview would be fetched', () => {
    const content = '[[1]](<https://a.example/b>) [2](https://c.example "t") https://d.example';
    const links = liveTokens(content).map(({ url, preview }) => [url, preview]);
    expect(links).toEqual([
      ['https://a.example/b', false],
      ['https://c.example', true],
      ['https://d.example', true],
    ]);
    expect(liveTokens(content, 1 << 2).map(({ preview }) => preview)).toEqual([false, false, false]);
  });
});

describe('pings', () => {
  test('follow allowed_mentions, or the defaults of a message without it', async () => {
    const server = await startServer();
    const path = `/channels/${channelId(server, 'general')}/messages`;
    const question = server.say({ user: 'ada', channel: 'general', content: 'q' });
    const content = `<@${server.people[0]?.id}> <@&${server.guild.role}> @everyone \`@here\``;
    const message_reference = { message_id: question };
    await rest(server, 'POST', path, { content, message_reference });
    await rest(server, 'POST', path, {
      content,
      message_reference,
      allowed_mentions: { parse: [], replied_user: false },
    });
    await rest(server, 'POST', path, { content, allowed_mentions: { users: [server.people[0]?.id] } });
    const { token, id } = server.command({ user: 'ada', channel: 'general', name: 'ask' });
    await rest(server, 'POST', `/interactions/${id}/${token}/callback`, { type: 4, data: { content } }, {});
    const ada = `user:${server.people[0]?.id}`;
    expect(server.calls.map(pings)).toEqual([
      ['everyone', ada, `role:${server.guild.role}`, 'reply'],
      [],
      [ada],
      [ada],
    ]);
    expect(server.history('general').at(-1)?.mentions).toEqual([server.people[0]?.id]);
  });
});
