import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { prepareDataDir } from '../support/data-dir.ts';
import { reportJobs } from '../support/jobs-report.ts';
import { type ServiceProcess, startService } from '../support/service.ts';
import { type DiscordSide, type Place, type Post, type SlackSide, until } from '../support/sides.ts';

const NAME = /R-[2-9A-Z]{4}/;

/**
 * Deep research through the unmodified service, killed and stopped meanwhile. A platform to a file: most of its time is
 * waiting, and files are run side by side.
 */
export function describeResearch(name: string, startSide: () => Promise<SlackSide | DiscordSide>): void {
  describe(`research on ${name}`, { timeout: 60_000 }, () => {
    let side: SlackSide | DiscordSide;
    let perplexity: PerplexityServer;
    let service: ServiceProcess;
    let options: Parameters<typeof reportJobs>[0];
    const directory = mkdtempSync(join(tmpdir(), 'footnote-research-'));

    beforeAll(async () => {
      side = await startSide();
      perplexity = await startPerplexityServer({
        tokensPerSecond: 400,
        jobs: { takesMs: 240_000, speed: 100 },
      });
      await prepareDataDir(join(directory, 'data'));
      const env = {
        RESEARCH_PER_USER: '20',
        RESEARCH_PER_WORKSPACE: '50',
        RESEARCH_SUBMISSIONS_PER_MINUTE: '600',
        RESEARCH_FIRST_POLL_SECONDS: '0.5',
      };
      options = { ...side.connection, perplexity, cwd: directory, dataDir: join(directory, 'data'), env };
      service = await startService(options);
    });
    afterAll(async () => {
      await service.stop();
      await Promise.all([side.close(), perplexity.close()]);
      rmSync(directory, { recursive: true, force: true });
    });

    const cardOf = (place: Place): Post | undefined => side.posts(place).find(({ text }) => NAME.test(text));
    const nameIn = (place: Place): string => NAME.exec(cardOf(place)?.text ?? '')?.[0] ?? '';
    const notices = (place: Place): readonly Post[] =>
      side.posts(place).filter(({ text }) => /Research (?:finished|failed)/.test(text));
    const asked = async (text: string): Promise<Place> => {
      const place = side.mention(text);
      await until(side, 'a card', 15_000, () => cardOf(place) !== undefined);
      return place;
    };
    const jobsOf = (text: string) =>
      perplexity.research.jobs.filter(({ question }) => question.includes(text));

    test('is reported once, in its thread, after a kill while it ran; a follow-up is answered from it', async () => {
      const place = await asked('research: How do cities cool their streets?');
      expect(cardOf(place)?.buttons).toEqual(['Stop']);
      await expect.poll(() => jobsOf('cool their streets'), { timeout: 10_000 }).toHaveLength(1);
      await service.kill('SIGKILL');
      await expect.poll(() => jobsOf('cool their streets')[0]?.state(), { timeout: 10_000 }).toBe('done');
      service = await startService(options);
      await until(side, 'the notice', 20_000, () => notices(place).length > 0);
      await until(side, 'the end of the card', 10_000, () => /Done in/.test(cardOf(place)?.text ?? ''));
      expect(cardOf(place)?.buttons).toEqual([]);
      expect(jobsOf('cool their streets')).toHaveLength(1);

      side.follow(place, 'And what did I ask before?');
      await until(side, 'an answer', 15_000, () =>
        side.posts(place).some(({ text }) => /· \d+\.\d s\b/.test(text)),
      );
      const request = perplexity.requests.findLast(({ path }) => path === '/chat/completions');
      expect(JSON.stringify(request?.body)).toContain('How do cities cool their streets?');
      expect(JSON.stringify(request?.body)).toContain('## Summary');
      expect(notices(place)).toHaveLength(1);
    });

    test('out of an answer, by its button', async () => {
      const place = side.mention('Why is the sky blue?');
      await until(side, 'an answer', 15_000, () =>
        side.posts(place).some(({ buttons }) => buttons.includes('Dig deeper')),
      );
      const answer = side.posts(place).find(({ buttons }) => buttons.includes('Dig deeper'))!;
      side.press(place, answer, 'Dig deeper');
      await until(side, 'the notice', 20_000, () => notices(place).length > 0);
      expect(notices(place)[0]?.text).toContain('Research finished');
      const [job] = jobsOf('Why is the sky blue?');
      expect(JSON.stringify(job?.request)).toContain('"role":"assistant"');
    });

    test('that fails says why, and is tried again by its button', async () => {
      const place = await asked('!research fault:job-failed why?');
      await until(side, 'the notification', 20_000, () => notices(place).length > 0);
      const [failed] = notices(place);
      expect(failed?.text).toMatch(/Research failed after/);
      expect(failed?.buttons).toEqual(['Try again']);
      side.press(place, failed!, 'Try again');
      await until(side, 'another notification', 20_000, () => notices(place).length === 2);
      expect(jobsOf('fault:job-failed why?')).toHaveLength(2);
    });

    test('that is stopped is not reported, and the commands, the card and the operator agree', async () => {
      const place = await asked('research: takes:10m speed:1 something slow');
      const name = nameIn(place);
      await expect
        .poll(async () => (await operatorsList()).find((row) => row.includes(name)), { timeout: 30_000 })
        .toMatch(/running/);
      side.follow(place, '!jobs', { mention: true });
      await until(side, 'the list', 10_000, () => privateReplies(place).some((text) => text.includes(name)));
      side.follow(place, `!jobs stop ${name}`, { mention: true });
      await until(side, 'the end of the card', 10_000, () =>
        /Stopped watching/.test(cardOf(place)?.text ?? ''),
      );
      await until(side, 'the private reply', 10_000, () =>
        privateReplies(place).some((text) => text.includes(`Stopped watching ${name}`)),
      );
      expect((await operatorsList()).find((row) => row.includes(name))).toMatch(
        /stopped .*chat .*(?:queued|running) .*none due/,
      );
      expect(notices(place)).toEqual([]);
    });

    test('that nobody here knows is an orphan to the operator', async () => {
      const answer = await fetch(`${perplexity.url}/async/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${perplexity.apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          request: {
            model: 'sonar-deep-research',
            messages: [{ role: 'user', content: 'by somebody else' }],
          },
        }),
      });
      const { id } = (await answer.json()) as { id: string };
      expect((await operatorsList()).find((row) => row.includes(id))).toMatch(/^ORPHAN /);
    });

    test('is told to the operator also while the service is down', async () => {
      await service.stop();
      const rows = await operatorsList();
      expect(rows.filter((row) => NAME.test(row)).length).toBeGreaterThan(3);
      service = await startService(options);
    });

    test('whose report may not be uploaded has it below, whole and without another mention', async () => {
      forbidFiles(side);
      const place = await asked('research: What may not be uploaded?');
      const below = (): readonly Post[] => {
        const all = side.posts(place);
        return all.slice(all.findIndex(({ text }) => text.includes('Research finished')) + 1);
      };
      const isWhole = (): boolean =>
        below().some(({ text }) => text.includes('That is the whole of it. END'));
      await until(side, 'the report', 30_000, () => notices(place).length > 0 && isWhole());
      await expect.poll(() => below().every(({ isGrowing }) => !isGrowing), { timeout: 10_000 }).toBe(true);
      expect(notices(place)).toHaveLength(1);
      expect(below().some(({ text }) => /<@/.test(text))).toBe(false);
    });

    /** What was said to the asker alone, wherever that is shown on this platform. */
    const privateReplies = (place: Place): readonly string[] => [
      ...side.shownAlone(),
      ...side.posts(place).map(({ text }) => text),
    ];

    const operatorsList = (): Promise<readonly string[]> => reportJobs(options, service.port);
  });
}

/** From now on files are refused. */
function forbidFiles(side: SlackSide | DiscordSide): void {
  if ('deny' in side.server) side.server.deny('general', ['ATTACH_FILES']);
  else side.server.fault('files.getUploadURLExternal', { error: 'missing_scope' }, Number.POSITIVE_INFINITY);
}
