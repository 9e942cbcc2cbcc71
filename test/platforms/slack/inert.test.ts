import { afterEach, beforeEach, expect, test } from 'vitest';
import { liveTokens } from '../../servers/slack/live-tokens.ts';
import type { SlackServer } from '../../servers/slack/server.ts';
import { ADA, askIn, connect, fresh, GENERAL, source, unpaced, view } from './setup.ts';

let connected: Awaited<ReturnType<typeof connect>>;
let server: SlackServer;
beforeEach(async () => {
  connected = await connect();
  server = connected.server;
});
afterEach(() => connected.close());

const HOSTILE = [
  'Hello <!channel> <!here> <!everyone> <!subteam^S1> <@U000000ADA> <#C00GENERAL> ',
  '[bank.com](http://evil.example/login) <http://evil.example|bank> http://evil.example/raw ',
  '![x](https://evil.example/?q=secret) <https://evil.example> www.evil.example \u202Egnp.exe ',
  '[ref]: http://evil.example\n\n[ref] and [fine](https://example.org/1) [1] ',
].join('');

test('nothing that a model, a person or a title says becomes live, but links to the sources', async () => {
  const question = { ...askIn(server), text: HOSTILE };
  const sources = [{ ...source(1), title: HOSTILE }];
  const notices = [`Not read: ${HOSTILE}`];
  const { platform } = connected.app;
  const command = {
    ...question,
    id: 'c',
    thread: null,
    message: null,
    trigger: 'command',
    askedAt: Date.now(),
  } as const;
  for (const asked of [question, command]) {
    const reply = unpaced(platform, asked, fresh().start);
    for (let end = 40; end < HOSTILE.length; end += 40) {
      await reply.show(view({ text: HOSTILE.slice(0, end), sources }));
    }
    const done = view({ state: 'done', text: HOSTILE, sources, notices, footer: HOSTILE });
    await reply.show(done);
    await reply.show(done);
    await reply.close();
  }
  await platform.replyPrivately(question, HOSTILE);
  await platform.directMessage(server.team, ADA, HOSTILE);

  const markdown = server
    .history(GENERAL)
    .filter(({ bot }) => bot)
    .flatMap((message) => [message.text, ...sentTexts()]);
  const live = new Set(markdown.flatMap((text) => [...liveTokens(text)]));
  const allowed = [`<@${ADA}>`, '[fine](https://example.org/1)', '[1](https://example.org/1)'];
  const others = [...live].filter(
    (token) => !allowed.includes(token) && !token.endsWith('](https://example.org/1)'),
  );
  expect(others).toEqual([]);
  expect(markdown.join('')).not.toContain('\u202E');
  const argsOf = (name: string) =>
    server.calls.flatMap(({ method, args }) => (method === name ? [args] : []));
  const [posts, updates] = [argsOf('chat.postMessage'), argsOf('chat.update')];
  expect(posts.length).toBeGreaterThan(0);
  expect(updates.length).toBeGreaterThan(0);
  for (const args of posts) expect(args).toMatchObject({ unfurl_links: false, unfurl_media: false });
  for (const args of [...posts, ...updates]) expect(args).toMatchObject({ parse: 'none', link_names: false });
});

/** Every Markdown text that was sent, appends included. */
function sentTexts(): readonly string[] {
  return server.calls.flatMap(({ args }) =>
    typeof args.markdown_text === 'string' ? [args.markdown_text] : [],
  );
}
