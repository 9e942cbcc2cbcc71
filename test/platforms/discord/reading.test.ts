/** What a question on Discord is made of besides its words: what it is about, its files, the title it stands under. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openDiscord } from '../../../src/platforms/discord/app.ts';
import { quietLog } from '../../core/fakes.ts';
import type { DiscordServer } from '../../servers/discord/discord-server.ts';
import type { Sent } from '../../servers/discord/saying.ts';
import { answerOf, channelId, createTown, mention, promptModel, written } from './setup.ts';

const town = createTown();
afterEach(() => town.end());

async function start() {
  const server = await town.server();
  const model = promptModel(() => answerOf('An answer.'));
  const footnote = await town.footnote(server, { model });
  /** The question heard after somebody has done this. */
  const hear = async (act: () => unknown) => {
    const before = footnote.heard.length;
    act();
    await vi.waitFor(() => expect(footnote.heard.length).toBeGreaterThan(before), 5_000);
    return footnote.heard.at(-1)!.question;
  };
  const told = async (): Promise<string> => {
    await vi.waitFor(() => expect(model.requests).toHaveLength(1), 5_000);
    return JSON.stringify(model.requests[0]?.messages).replaceAll('\\n> ', '\\n');
  };
  return { server, footnote, hear, told };
}

/** Points at a message of the channel "general". */
function pointAt(server: DiscordServer, message: string, channel = 'general') {
  return server.messageCommand({ user: 'ada', channel, message, name: 'Ask about this' });
}

describe('of what holds no words it is said what it is instead', () => {
  const button = { type: 1, components: [{ type: 2, style: 1, label: 'Yes', custom_id: 'y' }] };
  test.each<[string, (server: DiscordServer) => string]>([
    [
      'a sticker',
      (server) => server.say({ user: 'grace', channel: 'general', content: '', stickers: ['Wave'] }),
    ],
    ['a voice message', (server) => server.say({ user: 'grace', channel: 'general', content: '', voice: 3 })],
    ['a system message', (server) => server.notice({ user: 'grace', channel: 'general', type: 7 })],
    [
      'a picture',
      (server) =>
        server.otherBot({ channel: 'general', embeds: [{ image: { url: 'https://x.example/a.png' } }] }),
    ],
    ['buttons or pictures', (server) => server.otherBot({ channel: 'general', components: [button] })],
    ['an empty message', (server) => server.say({ user: 'grace', channel: 'general', content: '\n ' })],
  ])('%s', async (what, say) => {
    const { server, hear } = await start();
    const message = say(server);
    const nothing = { text: '', attachments: [], unreadable: what };
    const author = what === 'a picture' || what.startsWith('buttons') ? 'other-bot' : 'Grace';
    expect((await hear(() => pointAt(server, message))).quotes).toEqual([{ author, ...nothing }]);
    const content = mention(server, 'so?');
    const replied = await hear(() =>
      server.say({ user: 'ada', channel: 'general', content, replyTo: message, ping: false }),
    );
    expect(replied.quotes).toEqual([{ author, ...nothing }]);
    const forwarded = await hear(() =>
      server.say({ user: 'ada', channel: '@ada', content: '', forwardOf: message }),
    );
    expect(forwarded.quotes).toEqual([{ author: null, ...nothing }]);
  });

  test('in a thread stickers are named, and a voice message is', async () => {
    const { server, told } = await start();
    const channel = server.makeThread({ user: 'ada', channel: 'general', name: 'talk' });
    server.say({ user: 'grace', channel, content: '', stickers: ['Wumpus waves'] });
    server.say({ user: 'grace', channel, content: '', voice: 3 });
    server.say({ user: 'ada', channel, content: mention(server, 'so?') });
    expect(await told()).toMatch(/\(sticker: Wumpus waves\).*\(a voice message\)/);
  });

  test('in a thread files are named that came without words', async () => {
    const { server, told } = await start();
    const channel = server.makeThread({ user: 'ada', channel: 'general', name: 'talk' });
    server.say({ user: 'grace', channel, content: '', attachments: [{ filename: 'plan.pdf', size: 9 }] });
    server.say({ user: 'ada', channel, content: mention(server, 'so?') });
    expect((await told()).match(/plan\.pdf/g)).toHaveLength(1);
  });

  test.each<[string, string, (server: DiscordServer) => unknown]>([
    [
      'a voice message',
      'alone',
      (server) => server.say({ user: 'ada', channel: '@ada', content: '', voice: 2 }),
    ],
    [
      'a sticker',
      'behind a mention',
      (server) =>
        server.say({ user: 'ada', channel: 'general', content: mention(server, ''), stickers: ['Wave'] }),
    ],
  ])('%s %s is no empty question', async (unreadable, _, say) => {
    const { server, hear } = await start();
    const nothing = { author: null, text: '', attachments: [], unreadable };
    expect(await hear(() => say(server))).toMatchObject({ text: '', attachments: [], quotes: [nothing] });
  });

  test('a voice message is no silence, also as a reply', async () => {
    const { server, hear } = await start();
    await hear(() => server.say({ user: 'ada', channel: 'general', content: mention(server, 'How tall?') }));
    const channel = server.history('general')[0]?.id ?? '';
    await vi.waitFor(() => expect(written(server, channel)[0]?.content).toContain('Tower facts'), 5_000);
    const replyTo = written(server, channel)[0]?.id ?? '';
    const quotes = [{ unreadable: 'a voice message' }];
    const said = await hear(() => server.say({ user: 'ada', channel, content: '', voice: 2 }));
    expect(said).toMatchObject({ trigger: 'thread', quotes });
    const replied = await hear(() => server.say({ user: 'ada', channel, content: '', voice: 2, replyTo }));
    expect(replied).toMatchObject({ trigger: 'reply', quotes });
  });

  test('a sticker asks nothing in a thread of ours, nor as a reply', async () => {
    const { server, footnote, hear } = await start();
    const channel = server.say({ user: 'ada', channel: 'general', content: mention(server, 'How tall?') });
    await vi.waitFor(() => expect(written(server, channel)[0]?.content).toContain('Tower facts'), 5_000);
    const answer = written(server, channel)[0]?.id ?? '';
    server.say({ user: 'ada', channel, content: '', stickers: ['Wave'] });
    server.say({ user: 'ada', channel, content: '', stickers: ['Wave'], replyTo: answer });
    await hear(() => server.say({ user: 'ada', channel, content: 'And how old?' }));
    expect(footnote.heard.map(({ question }) => question.text)).toEqual(['How tall?', 'And how old?']);
  });
});

describe('files', () => {
  const file = (name: string, more: object = {}) => ({ name, ...more });
  const sent: [string, Omit<Sent, 'channel'>, object[]][] = [
    [
      'of a message, by the name they had',
      { attachments: [{ filename: '_.pdf', title: 'отчёт', contentType: 'application/pdf', size: 9 }] },
      [file('отчёт.pdf', { type: 'application/pdf', bytes: 9, url: expect.stringContaining('/_.pdf?ex=') })],
    ],
    [
      'in components',
      {
        components: [
          { type: 13, file: { url: 'https://cdn.example/a/game.zip?ex=1' }, name: 'game.zip', size: 7 },
          {
            type: 17,
            components: [
              {
                type: 12,
                items: [
                  {
                    media: {
                      url: 'https://cdn.example/a/1.png?ex=1',
                      content_type: 'image/png',
                      attachment_id: '1',
                    },
                  },
                  { media: { url: 'https://cdn.example/a/1.png?ex=2', attachment_id: '1' } },
                  { media: { url: 'https://elsewhere.example/2.png' } },
                ],
              },
            ],
          },
        ],
      },
      [
        file('game.zip', { type: null, bytes: 7, url: 'https://cdn.example/a/game.zip?ex=1' }),
        file('1.png', { type: 'image/png', bytes: null, url: 'https://cdn.example/a/1.png?ex=1' }),
      ],
    ],
  ];
  test.each(sent)('%s', async (_, message, files) => {
    const { server, hear } = await start();
    const id = server.otherBot({ channel: 'general', ...message });
    const expected = [{ text: '', attachments: files }];
    expect((await hear(() => pointAt(server, id))).quotes).toMatchObject(expected);
    const content = mention(server, 'so?');
    const replied = await hear(() => server.say({ user: 'ada', channel: 'general', content, replyTo: id }));
    expect(replied).toMatchObject({ quotes: expected, attachments: [] });
    const forwarded = await hear(() =>
      server.say({ user: 'ada', channel: '@ada', content: '', forwardOf: id }),
    );
    expect(forwarded).toMatchObject({ quotes: expected, attachments: [] });
  });
});

describe('the title', () => {
  test('of a forum post and of a thread that a person began goes with what is asked there', async () => {
    const { server, hear } = await start();
    const content = mention(server, '');
    const title = 'How tall is the Eiffel Tower?';
    const asked = await hear(() => server.post({ user: 'ada', forum: 'help-forum', title, content }));
    expect(asked).toMatchObject({ title, text: '', trigger: 'mention' });
    const channel = server.makeThread({ user: 'ada', channel: 'general', name: 'Old towers' });
    expect(await hear(() => server.say({ user: 'ada', channel, content }))).toMatchObject({
      title: 'Old towers',
    });
    const options = { question: 'Which?' };
    expect(await hear(() => server.command({ user: 'ada', channel, name: 'ask', options }))).toMatchObject({
      title: 'Old towers',
    });
  });

  test('is told to the model, also where nothing else is said', async () => {
    const { server, told } = await start();
    const title = 'How tall is the Eiffel Tower in metres?';
    server.post({ user: 'ada', forum: 'help-forum', title, content: `see title ${mention(server, '')}` });
    expect(await told()).toMatch(/How tall is the Eiffel Tower in metres\?.*see title/);
  });

  test('is none in a channel, in a direct message and in a thread that we have named', async () => {
    const { server, hear } = await start();
    const content = mention(server, 'How tall?');
    const first = await hear(() => server.say({ user: 'ada', channel: 'general', content }));
    const channel = first.message?.message ?? '';
    await vi.waitFor(() => expect(written(server, channel)[0]?.content).toContain('Tower facts'), 5_000);
    const second = await hear(() => server.say({ user: 'ada', channel, content: 'And how old?' }));
    const third = await hear(() => server.say({ user: 'ada', channel: '@ada', content: 'How tall?' }));
    expect([first.title, second.title, third.title]).toEqual([null, null, null]);
  });
});

describe('what a thread began with', () => {
  const alert = { title: 'Disk full', description: 'db1 is at 99%' };

  /** A thread that a person has started from an alert. */
  const startAlert = async () => {
    const { server, ...rest } = await start();
    const message = server.otherBot({ channel: 'general', webhook: true, name: 'Watchdog', embeds: [alert] });
    const channel = server.makeThread({ user: 'ada', channel: 'general', name: 'alert', message });
    return { server, channel, ...rest };
  };

  test('is read in it', async () => {
    const { server, channel, told } = await startAlert();
    server.say({ user: 'ada', channel, content: mention(server, 'so?') });
    expect(await told()).toContain('Disk full\\ndb1 is at 99%');
  });

  test('is what one points at there', async () => {
    const { server, channel, hear } = await startAlert();
    const beginning = server.snapshot().messages[channel]?.[0]?.id ?? '';
    const { quotes } = await hear(() => pointAt(server, beginning, channel));
    expect(quotes).toEqual([{ author: 'Watchdog', text: 'Disk full\ndb1 is at 99%', attachments: [] }]);
  });

  test('is read in a long forum post', async () => {
    const { server, told } = await start();
    const content = 'The lift of my tower is stuck';
    const channel = server.post({ user: 'ada', forum: 'help-forum', title: 'Help', content });
    for (let n = 0; n < 305; n++) server.say({ user: 'grace', channel, content: `guess ${n}` });
    server.say({ user: 'ada', channel, content: mention(server, 'so?') });
    expect(await told()).toContain('The lift of my tower is stuck');
  });
});

test('a process without the gateway reads the names of roles, and does without all others', async () => {
  const server = await town.server();
  const footnote = await town.footnote(server);
  const channel = server.makeThread({ user: 'ada', channel: 'general', name: 'talk' });
  const content = `<@&${server.guild.role}> see <#${channelId(server, 'random')}>, says <@${server.people[2]?.id}>`;
  server.say({ user: 'grace', channel, content });
  server.say({ user: 'ada', channel, content: mention(server, 'so?') });
  await vi.waitFor(() => expect(footnote.heard.at(-1)?.question.text).toBe('so?'), 5_000);
  const base = { token: server.token, apiUrl: server.apiUrl, messageContent: true };
  const app = await openDiscord({ ...base, threads: 'always', log: quietLog });
  const { question } = footnote.heard.at(-1)!;
  const { turns } = await app.platform.readThread(question, null, new AbortController().signal);
  await app.stop();
  expect(turns.map(({ author, text }) => `${author?.name}: ${text}`)).toEqual([
    'Grace: @readers see #channel, says @Linus',
  ]);
});

test('an update in part disturbs nothing', async () => {
  const server = await town.server();
  const failed: string[] = [];
  const log = { ...quietLog, error: (_: object, message: string) => void failed.push(message) };
  const footnote = await town.footnote(server, { log });
  const channel = server.makeThread({ user: 'ada', channel: 'general', name: 'talk' });
  const part = { channel_id: channel, guild_id: server.guild.id };
  const id = (n: bigint) => String(BigInt(channel) + n);
  const edited = { edited_timestamp: new Date().toISOString() };
  server.gateway.dispatchRaw('MESSAGE_UPDATE', { id: id(1n), ...part, embeds: [{ type: 'link' }] });
  server.gateway.dispatchRaw('MESSAGE_UPDATE', { id: id(2n), ...part, content: mention(server, 'x') });
  server.gateway.dispatchRaw('MESSAGE_UPDATE', { id: id(3n), ...part, ...edited });
  const author = { id: server.people[0]?.id, username: 'ada' };
  server.gateway.dispatchRaw('MESSAGE_UPDATE', { id: id(4n), ...part, ...edited, type: 0, author });
  server.gateway.dispatchRaw('MESSAGE_CREATE', { id: id(5n), ...part, type: 0, author, mentions: [] });
  server.say({ user: 'ada', channel, content: mention(server, 'How tall?') });
  await vi.waitFor(() => expect(footnote.heard).toHaveLength(1), 5_000);
  expect(footnote.heard[0]?.question.text).toBe('How tall?');
  expect(failed).toEqual([]);
});
