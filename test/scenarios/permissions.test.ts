/** Who may stop and retry what, by the ids in SLACK_ADMINS and DISCORD_ADMINS: the asker, an admin of that platform, nobody else. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { declareCommands, isNotice } from '../support/research-service.ts';
import { type ServiceProcess, startService } from '../support/service.ts';
import {
  type DiscordSide,
  type Place,
  type Post,
  type Side,
  type SlackSide,
  startDiscordSide,
  startSlackSide,
  until,
} from '../support/sides.ts';

/** Grace looks after Slack and Linus after Discord; on the other platform they are nobody in particular. */
const GRACE = 1;
const LINUS = 2;
const ROLES = [
  { name: 'slack', admin: GRACE, stranger: LINUS },
  { name: 'discord', admin: LINUS, stranger: GRACE },
] as const;

const WITHIN_MS = 20_000;
const JOB = /R-[2-9A-Z]{4}/;

let slack: SlackSide;
let discord: DiscordSide;
let perplexity: PerplexityServer;
let service: ServiceProcess;

beforeAll(async () => {
  [slack, discord] = await Promise.all([startSlackSide(), startDiscordSide()]);
  await declareCommands(discord);
  perplexity = await startPerplexityServer({ tokensPerSecond: 100 });
  service = await startService({
    ...slack.connection,
    ...discord.connection,
    perplexity,
    env: {
      SLACK_ADMINS: slack.server.people[GRACE]?.id ?? '',
      DISCORD_ADMINS: discord.server.people[LINUS]?.id ?? '',
      PERPLEXITY_API: 'agent',
    },
  });
});
afterAll(async () => {
  await service.kill('SIGKILL');
  await Promise.all([slack.close(), discord.close(), perplexity.close()]);
});

describe.each(ROLES)('on $name', ({ name, admin, stranger }) => {
  const side = (): Side => (name === 'slack' ? slack : discord);
  const read = (place: Place): string =>
    side()
      .posts(place)
      .map(({ text }) => text)
      .join('\n');
  const see = (what: string, condition: () => boolean): Promise<void> =>
    until(side(), what, WITHIN_MS, condition);
  const refusals = (person: number): number =>
    side()
      .shownAlone(person)
      .filter((text) => /Only .* or an admin can do that/.test(text)).length;
  const grow = async (text: string): Promise<Place> => {
    const place = side().mention(text);
    await see('growing text', () =>
      side()
        .posts(place)
        .some(({ isGrowing }) => isGrowing),
    );
    return place;
  };
  const startResearch = async (text: string): Promise<{ place: Place; job: string }> => {
    const place = side().mention(`research: takes:1h speed:1 ${text} ${name}`);
    const jobs = (): number =>
      perplexity.research.jobs.filter(({ question }) => question.includes(`${text} ${name}`)).length;
    await expect.poll(jobs, { timeout: WITHIN_MS }).toBe(1);
    await see('the card', () => JOB.test(read(place)));
    return { place, job: JOB.exec(read(place))?.[0] ?? '' };
  };
  const card = (place: Place): Post | undefined =>
    side()
      .posts(place)
      .find(({ text }) => JOB.test(text) && !isNotice(text));
  const commandJobs = (person: number, action: string, job: string): void => {
    if (name === 'slack')
      slack.server.command({
        user: slack.server.people[person]?.id ?? '',
        channel: slack.server.channels.find((channel) => channel.name === 'general')?.id ?? '',
        command: '/jobs',
        text: `${action} ${job}`,
      });
    else
      discord.server.command({
        user: discord.server.people[person]?.username ?? '',
        channel: 'general',
        name: 'jobs',
        subcommand: action,
        options: { id: job },
      });
  };

  test("an answer is stopped by an admin, and not by the other platform's", async () => {
    const place = await grow('long 9000 that only some may stop');
    side().stop(place, stranger);
    // Slack does not tell whoever pressed its own Stop what came of it.
    if (name === 'discord') await see('a refusal', () => refusals(stranger) === 1);
    const before = read(place).length;
    await see('more text', () => read(place).length > before + 200);
    expect(read(place)).not.toContain('⏹');
    side().stop(place, admin);
    await see('the stopped answer', () => read(place).includes('⏹ Stopped'));
    expect(refusals(admin)).toBe(0);
  });

  test('an answer is asked again by an admin, and not by a stranger', async () => {
    const place = await grow('long 9000 to be asked again');
    side().stop(place);
    await see('the stopped answer', () => read(place).includes('⏹ Stopped'));
    const asked = perplexity.requests.length;
    const stopped = side().posts(place).at(-1)!;
    const refused = refusals(stranger);
    side().press(place, stopped, 'Retry', stranger);
    await see('a refusal', () => refusals(stranger) === refused + 1);
    expect(perplexity.requests).toHaveLength(asked);
    side().press(place, stopped, 'Retry', admin);
    await expect.poll(() => perplexity.requests.length, { timeout: WITHIN_MS }).toBe(asked + 1);
    await see('the second answer', () =>
      side()
        .posts(place)
        .some(({ isGrowing }) => isGrowing),
    );
    side().stop(place);
    await see('its end', () =>
      side()
        .posts(place)
        .every(({ isGrowing }) => !isGrowing),
    );
  });

  test('the Stop of a research card is for its asker and admins', async () => {
    const { place, job } = await startResearch('by its button');
    const refused = refusals(stranger);
    side().press(place, card(place)!, 'Stop', stranger);
    await see('a refusal', () => refusals(stranger) === refused + 1);
    expect(read(place)).not.toContain('Cancelled');
    side().press(place, card(place)!, 'Stop', admin);
    await see('the end', () => read(place).includes(`Cancelled ${job}`));
  });

  test.each([
    ['its asker', 0],
    ['an admin', admin],
  ])('/jobs stop is for %s, and knows no job of others for a stranger', async (_who, person) => {
    const { place, job } = await startResearch(`by command of ${person}`);
    const told = (text: string, by: number): boolean =>
      side()
        .shownAlone(by)
        .some((one) => one.includes(text));
    commandJobs(stranger, 'stop', job);
    await see('nothing known', () => told(`I know no job ${job}`, stranger));
    expect(read(place)).not.toContain('Cancelled');
    commandJobs(person, 'stop', job.toLowerCase());
    await see('the end', () => read(place).includes(`Cancelled ${job}`));
    await see('a word', () => told(`Cancelled ${job}`, person));
  });
});
