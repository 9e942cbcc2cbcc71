import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { liveTokens as liveOnDiscord } from '../servers/discord/checks.ts';
import { reportFor } from '../servers/perplexity/reports.ts';
import { liveTokens as liveOnSlack } from '../servers/slack/live-tokens.ts';
import {
  isNotice,
  type ResearchService,
  startResearchService,
  type Talk,
} from '../support/research-service.ts';
import type { Place } from '../support/sides.ts';

const ENDED_ANSWER = /· \d+\.\d s\b/;

/** What is delivered, and where, on both platforms. */
describe('a report', { timeout: 120_000 }, () => {
  let service: ResearchService;
  beforeAll(async () => void (service = await startResearchService({ PERPLEXITY_API: 'agent' })));
  afterAll(() => service.close());
  const onBoth = (title: string, body: (talk: Talk) => Promise<void>): void =>
    test(title, async () => void (await Promise.all(service.talks.map(body))));

  /** The text of the file that came with the notice. */
  const fileIn = (talk: Talk, { channel, thread }: Place): string => {
    if (talk.side === service.slack) {
      const notice = service.slack.server.history(channel, thread).find(({ text }) => isNotice(text));
      return notice?.files[0]?.content ?? '';
    }
    const sent = service.discord.server.calls.findLast(
      ({ path, files }) => files.length > 0 && path.includes(channel),
    );
    return sent?.files[0]?.text ?? '';
  };

  /** Every message of the bot, wherever it is. */
  const everywhere = ({ side }: Talk): readonly { readonly channel: string; readonly text: string }[] =>
    side === service.slack
      ? service.slack.server.channels.flatMap(({ id }) =>
          service.slack.server.history(id).map(({ text }) => ({ channel: id, text })),
        )
      : service.discord.server.channels.flatMap(({ id }) =>
          service.discord.server.history(id).map(({ content }) => ({ channel: id, text: content })),
        );

  onBoth('of 60,000 characters and 120 sources is whole, and bounded in what follows', async (talk) => {
    const place = await talk.research('long report');
    await talk.see('the notice', () => talk.notices(place).length > 0);
    const [notice] = talk.notices(place);
    const [job] = talk.jobsOf('long report');
    const { text, sources } = reportFor([{ role: 'user', text: job?.question ?? '' }], {}, '## Summary');
    expect([text.length > 59_000, sources.length]).toEqual([true, 120]);
    const file = fileIn(talk, place);
    expect(file).toContain(text.trim());
    const lines = file.slice(file.lastIndexOf('## Sources')).split('\n');
    for (const [index, { url, title, date }] of sources.entries()) {
      const entry = lines.find((line) => line.startsWith(`${index + 1}. `));
      expect(entry).toContain(title);
      expect(entry).toContain(date);
      expect(entry).toContain(`<${url}>`);
    }
    expect(notice?.buttons).toEqual(['All 120 sources']);
    expect(notice?.text.length).toBeLessThan(talk.side === service.slack ? 12_000 : 2_000);
    talk.side.follow(place, `And what follows, ${talk.side.name}?`);
    await talk.see('an answer', () => talk.side.posts(place).some((post) => ENDED_ANSWER.test(post.text)));
    const bodies = service.perplexity.requests.map(({ body }) => JSON.stringify(body ?? ''));
    const next = bodies.findLast((body) => body.includes(`And what follows, ${talk.side.name}?`));
    expect(next).toContain('## Summary');
    expect(next?.length).toBeLessThan(40_000);
  });

  onBoth('of hostile words pings nobody, links nowhere, and its file hides nothing', async (talk) => {
    const isSlack = talk.side === service.slack;
    const [, grace] = isSlack ? service.slack.server.people : service.discord.server.people;
    const place = await talk.research(
      `hostile @everyone <@${grace?.id}> <!channel> [x](javascript:alert(1)) https://evil.example/q \u202Eexe.txt`,
    );
    await talk.see('the end', () => /Done in/.test(talk.cards(place)[0]?.text ?? ''));
    await talk.see('the notice', () => talk.notices(place).length > 0);
    for (const { text } of [...talk.cards(place), ...talk.notices(place)]) {
      expect(text).not.toMatch(/[\u202A-\u202E\u2066-\u2069]/);
      const words = text.replace(/^<@\w+> /, '');
      const live = isSlack
        ? liveOnSlack(words)
        : liveOnDiscord(words).map(({ kind, url }) => `${kind}: ${url ?? ''}`);
      const isOurs =
        /https:\/\/(?:harbor\.slack\.com\/files|energy\.example\.org|notebook\.example\.com|grid\.example\.net)\//;
      expect(live.filter((one) => !isOurs.test(one))).toEqual([]);
    }
    if (!isSlack) {
      const [ada] = service.discord.server.people;
      const pinged = service.discord.server.history(place.channel).flatMap(({ mentions }) => mentions);
      expect(pinged).toEqual([ada?.id]);
    }
    const file = fileIn(talk, place);
    expect(file).toContain('txt.exe');
    // oxlint-disable-next-line no-control-regex -- that is what is looked for
    expect(file).not.toMatch(/[\u0000-\u0008\u202A-\u202E\u2066-\u2069]/);
  });

  onBoth('where files are refused follows in readable parts, whole and without a mention', async (talk) => {
    const isSlack = talk.side === service.slack;
    if (isSlack)
      service.slack.server.fault('files.getUploadURLExternal', { error: 'not_allowed_token_type' }, 3);
    else service.discord.server.deny('general', ['ATTACH_FILES']);
    const place = await talk.research('report 9000 without files');
    const read = (): string =>
      talk.side
        .posts(place)
        .map(({ text }) => text)
        .join('');
    await talk.see('the parts', () => read().includes('Finding 120'));
    await expect.poll(() => service.listed(talk.nameIn(place)), { timeout: 30_000 }).toMatch(/done .*sent/);
    expect(talk.notices(place)).toHaveLength(1);
    for (let n = 1; n <= 120; n++) expect(read()).toContain(`Finding ${n}:`);
    expect(read().match(/<@/g)).toHaveLength(1);
    if (!isSlack) service.discord.server.deny('general', []);
  });

  onBoth('with no place left in its thread is told of in a direct message, once', async (talk) => {
    const place = await talk.research('takes:1h speed:1 homeless');
    await talk.isBegun('homeless');
    const name = talk.nameIn(place);
    if (talk.side === service.slack)
      service.slack.server.fault('chat.postMessage', { error: 'is_archived' }, 1);
    else service.discord.server.deleteChannel(place.channel);
    service.perplexity.research.finish(talk.jobsOf('homeless')[0]?.id);
    await expect.poll(() => service.listed(name), { timeout: 30_000 }).toMatch(/done .*sent/);
    const told = everywhere(talk).filter(({ text }) => isNotice(text) && text.includes('homeless'));
    const direct =
      talk.side === service.slack
        ? service.slack.server.channels.filter(({ kind }) => kind === 'im')
        : service.discord.server.channels.filter((channel) => channel.name === '@ada');
    expect(told).toHaveLength(1);
    expect(direct.map(({ id }) => id)).toContain(told[0]?.channel);
  });

  // The last one: Discord's clock runs ahead of ours from here on.
  onBoth('of a command comes long after its token and its card’s hour', async (talk) => {
    const question = `takes:1h speed:1 by command ${talk.side.name}`;
    if (talk.side === service.slack) {
      const { people, channels } = service.slack.server;
      const channel = channels.find(({ name }) => name === 'general')?.id ?? '';
      service.slack.server.command({
        user: people[0]?.id ?? '',
        channel,
        command: '/research',
        text: question,
      });
    } else {
      const options = { question };
      service.discord.server.command({ user: 'ada', channel: 'general', name: 'research', options });
    }
    await talk.isBegun('by command');
    const since = Date.now();
    service.clock.ahead = 95 * 60_000;
    service.perplexity.research.finish(talk.jobsOf('by command')[0]?.id);
    const about = () => everywhere(talk).filter(({ text }) => text.includes('by command'));
    await talk.see('told', () => about().some(({ text }) => isNotice(text)));
    await talk.see('ended', () => about().some(({ text }) => /R-\w{4} · Done in/.test(text)));
    expect(about().filter(({ text }) => isNotice(text))).toHaveLength(1);
    const late =
      talk.side === service.slack
        ? service.slack.server.calls.filter(({ method, at }) => method === 'response_url' && at > since)
        : service.discord.server.calls.filter(
            ({ route, at }) => route.includes('/:token') && at > since + 60_000,
          );
    expect(late).toEqual([]);
  });
});
