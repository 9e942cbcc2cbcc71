import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  act,
  answersIn,
  ask,
  connected,
  freshDirectory,
  openSandbox,
  PLATFORMS,
  type Platform,
  removeDirectory,
  someone,
  stateOf,
  textOf,
  until,
} from './page-client.ts';
import type { PageButton, PageMessage, Side } from './page-state.ts';
import type { Sandbox } from './sandbox.ts';

const NAME = /R-[2-9A-Z]{4}/;
/** At this pace a job takes three seconds. */
const QUICK = 200;
/** At this one none ends by itself. */
const SLOW = 1;

/** Research as the sandbox's page shows it. An API to a file: most of its time is waiting, and files are run side by side. */
export function describeResearch(api: 'chat' | 'agent'): void {
  describe(`research in the sandbox, on the ${api} API`, { timeout: 120_000 }, () => {
    // What the API has no part in is tried with one of them.
    const onceOnly = (name: string, run: () => Promise<void>): void => {
      if (api === 'chat') test(name, run);
    };
    const directory = freshDirectory();
    let sandbox: Sandbox;
    let url: string;
    const open = async (): Promise<void> => {
      sandbox = await openSandbox(directory, {
        PERPLEXITY_API: api,
        RESEARCH_PER_USER: '10',
      });
      url = sandbox.url;
    };
    beforeAll(open);
    afterAll(async () => {
      await sandbox?.close();
      removeDirectory(directory);
    });

    const sideOf = async (platform: Platform): Promise<Side> => (await stateOf(url))[platform];
    const command = async (platform: Platform, name: 'research' | 'jobs', text: string): Promise<void> => {
      const place = { platform, ...someone(await sideOf(platform)), thread: null };
      await act(url, { do: 'command', command: name, ...place, text });
    };
    /** Every question here has words of its own. */
    const cardOf = async (platform: Platform, question: string): Promise<PageMessage> =>
      found(async () =>
        (await sideOf(platform)).messages.find(
          (one) => one.onlyFor === null && NAME.test(textOf(one)) && textOf(one).includes(`> ${question}`),
        ),
      );
    const noticesOf = async (platform: Platform, question: string): Promise<readonly PageMessage[]> => {
      const name = NAME.exec(textOf(await cardOf(platform, question)))?.[0] ?? '';
      const isOne = (text: string): boolean =>
        text.includes(name) && /Research (?:finished|failed)/.test(text);
      return (await sideOf(platform)).messages.filter((one) => isOne(textOf(one)));
    };
    const noticeOf = (platform: Platform, question: string): Promise<PageMessage> =>
      found(async () => (await noticesOf(platform, question))[0]);
    const upstream = () => sandbox.perplexity?.research.jobs ?? [];
    /** So many jobs have been begun, and the service knows of it: it has looked at all. */
    const watched = (count: number): Promise<void> =>
      until(() => upstream().length === count && upstream().every(({ looks }) => looks.length > 0));

    test('is reported once, where it was asked, though the service was killed and came back only after its end', async () => {
      const question = 'How do cities cool their streets?';
      await act(url, { do: 'research-speed', speed: SLOW });
      for (const platform of PLATFORMS) await command(platform, 'research', `${question} --effort high`);
      await watched(2);
      for (const platform of PLATFORMS)
        expect(buttonsOf(await cardOf(platform, question)).map(({ label }) => label)).toEqual(['Stop']);
      await act(url, { do: 'break', what: 'kill-and-hold' });
      await until(async () => (await stateOf(url)).service.state === 'down');
      await act(url, { do: 'finish-research' });
      expect(upstream().map((job) => job.state())).toEqual(['done', 'done']);
      for (const platform of PLATFORMS) expect(await noticesOf(platform, question)).toEqual([]);
      await act(url, { do: 'break', what: 'start' });
      await connected(sandbox);
      expect((await stateOf(url)).service.starts).toBe(2);

      await Promise.all(PLATFORMS.map((platform) => check(platform, question)));
      expect(upstream().map((job) => job.api)).toEqual([api, api]);
      const high = api === 'chat' ? { reasoning_effort: 'high' } : { preset: 'xhigh', background: true };
      for (const { request } of upstream()) expect(request).toMatchObject(high);
    });

    /** One notice in the thread of the card, with its file, and a follow-up that knows the report. */
    async function check(platform: Platform, question: string): Promise<void> {
      const notice = await noticeOf(platform, question);
      const name = NAME.exec(textOf(notice))?.[0];
      expect(textOf(notice)).toContain('Research finished');
      await until(async () => textOf(await cardOf(platform, question)).includes(`${name} · Done in`));
      const { thread } = await cardOf(platform, question);
      expect(thread).not.toBeNull();
      expect(notice.thread).toBe(thread);
      expect(notice.pings).toEqual([someone(await sideOf(platform)).user]);
      expect(notice.files.map((file) => file.name)).toEqual([`research-${name}.md`]);
      const file = await fetch(url + notice.files[0]?.path);
      expect(file.headers.get('content-type')).toBe('text/plain; charset=utf-8');
      const report = await file.text();
      expect(Buffer.byteLength(report)).toBe(notice.files[0]?.size);
      expect(report).toContain(`# ${question}`);
      expect(report).toMatch(/## Sources\n\n1\. .*<https:\/\/energy\.example\.org\/reports\/tidal-2026>/);

      await ask(url, platform, 'What does the report say about offshore wind?', thread);
      const said = 'The report above says: “Tidal power still costs about twice as much as offshore wind';
      await until(async () =>
        answersIn(await sideOf(platform), thread ?? '').some((one) => textOf(one).includes(said)),
      );
      expect(await noticesOf(platform, question)).toHaveLength(1);
      const mentions = answersIn(await sideOf(platform), thread ?? '').filter(
        ({ pings }) => pings.length > 0,
      );
      expect(mentions).toHaveLength(1);
    }

    test('is delivered by a sandbox that was ended while it ran, which keeps the files of before', async () => {
      const before = (await sideOf('slack')).messages.flatMap(({ files }) => files)[0];
      await act(url, { do: 'research-speed', speed: SLOW });
      for (const platform of PLATFORMS) await command(platform, 'research', 'Who owns the sea bed?');
      await watched(4);
      await sandbox.close();
      await open();
      expect(
        upstream()
          .map((job) => job.state())
          .filter((state) => state !== 'done'),
      ).toHaveLength(2);
      await act(url, { do: 'finish-research' });
      for (const platform of PLATFORMS)
        expect(textOf(await noticeOf(platform, 'Who owns the sea bed?'))).toContain('Research finished');
      expect(await (await fetch(url + before?.path)).text()).toContain('# How do cities cool their streets?');
    });

    test('is listed and stopped by /jobs, which only its asker sees', async () => {
      await act(url, { do: 'research-speed', speed: SLOW });
      for (const platform of PLATFORMS)
        await command(platform, 'research', 'What do harbours cost? --notify dm');
      await watched(6);
      await Promise.all(
        PLATFORMS.map(async (platform) => {
          const name = NAME.exec(textOf(await cardOf(platform, 'What do harbours cost?')))?.[0] ?? '';
          const { user } = someone(await sideOf(platform));
          const isWhispered = async (words: string): Promise<boolean> =>
            (await sideOf(platform)).messages.some(
              (one) => one.onlyFor === user && textOf(one).includes(words),
            );
          await command(platform, 'jobs', '');
          await until(() => isWhispered(`${name} · `));
          await command(platform, 'jobs', `stop ${name}`);
          const words = api === 'chat' ? `Stopped watching ${name}` : `Cancelled ${name}`;
          await until(() => isWhispered(words));
          await until(async () => textOf(await cardOf(platform, 'What do harbours cost?')).includes(words));
        }),
      );
    });

    onceOnly('that breaks on purpose is explained, and tried again by its button', async () => {
      await act(url, { do: 'research-speed', speed: QUICK });
      for (const _ of PLATFORMS) await act(url, { do: 'break-research', fault: 'job-failed' });
      await Promise.all(
        PLATFORMS.map(async (platform) => {
          await command(platform, 'research', 'Why do tides fail?');
          const failed = await noticeOf(platform, 'Why do tides fail?');
          expect(textOf(failed)).toMatch(/Research failed after/);
          const [again] = buttonsOf(failed);
          expect(again?.label).toBe('Try again');
          const { user } = someone(await sideOf(platform));
          const { channel, thread, id: message } = failed;
          const button = { action: again?.action, value: again?.value ?? null };
          await act(url, { do: 'press', platform, user, channel, thread, message, ...button });
          await until(async () =>
            answersIn(await sideOf(platform), thread ?? '').some((one) =>
              /Research finished/.test(textOf(one)),
            ),
          );
        }),
      );
    });

    onceOnly('hands out a long report on demand, and keeps it out of what every change sends', async () => {
      await act(url, { do: 'research-speed', speed: QUICK });
      await command('discord', 'research', 'Long report please');
      const { files } = await noticeOf('discord', 'Long report please');
      expect(files[0]?.size).toBeGreaterThan(60_000);
      expect(JSON.stringify(await stateOf(url))).not.toContain('Finding 120');
      expect(await (await fetch(url + files[0]?.path)).text()).toContain('Finding 120');
    });
  });
}

async function found<Found>(look: () => Promise<Found | undefined>): Promise<Found> {
  let result: Found | undefined;
  await until(async () => {
    result = await look();
    return result !== undefined;
  });
  if (result === undefined) throw new Error('not there');
  return result;
}

function buttonsOf({ pieces }: PageMessage): readonly PageButton[] {
  return pieces.flatMap((piece) => (piece.type === 'buttons' ? piece.buttons : []));
}
