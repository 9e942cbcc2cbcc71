/** Deep research in the unmodified service on both platforms at once, as the people there and the operator see it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { formatJobsTable, type JobEntry } from '../../src/core/research/jobs-table.ts';
import { asRecords } from '../../src/core/untrusted.ts';
import { registerCommands } from '../../src/platforms/discord/register-commands.ts';
import { createRest } from '../../src/platforms/discord/rest.ts';
import { quietLog } from '../core/fakes.ts';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { prepareDataDir } from './data-dir.ts';
import { reportJobs } from './jobs-report.ts';
import { startService } from './service.ts';
import {
  type DiscordSide,
  type Place,
  type Post,
  type Side,
  type SlackSide,
  startDiscordSide,
  startSlackSide,
  until,
} from './sides.ts';

export interface ResearchService {
  readonly slack: SlackSide;
  readonly discord: DiscordSide;
  readonly perplexity: PerplexityServer;
  /** One for each platform. */
  readonly talks: readonly Talk[];
  /** How many milliseconds Discord's clock is ahead of ours. */
  clock: { ahead: number };
  /** The operator's row about a job, without what upstream says of it; empty when there is none. */
  listed(job: string): Promise<string>;
  /** What `npm run jobs` prints. */
  reported(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** What tests do on one platform. A question there ends with the platform's name. */
export interface Talk {
  readonly side: Side;
  /** Asks for research and waits for its card. */
  research(text: string, person?: number): Promise<Place>;
  cards(place: Place): readonly Post[];
  notices(place: Place): readonly Post[];
  /** `R-4F2K` of the first card there. */
  nameIn(place: Place): string;
  jobsOf(text: string): PerplexityServer['research']['jobs'];
  /** Waits until it has been handed in. */
  isBegun(text: string): Promise<void>;
  /** Waits until this can be seen. */
  see(what: string, condition: () => boolean): Promise<void>;
  pressStop(place: Place, person?: number): void;
  /** All that the first person can read there, and what only they were shown. */
  readable(place: Place): string;
}

const MANIFEST = new URL('../../manifests/discord-commands.json', import.meta.url);
const NAME = /R-[2-9A-Z]{4}/;
const WITHIN_MS = 50_000;

export async function startResearchService(env: Readonly<Record<string, string>>): Promise<ResearchService> {
  const clock = { ahead: 0 };
  const slack = await startSlackSide();
  const discord = await startDiscordSide({ now: () => Date.now() + clock.ahead, limits: 'real' });
  await declareCommands(discord);
  const perplexity = await startPerplexityServer({ tokensPerSecond: 400, jobs: { speed: 240 } });
  const directory = mkdtempSync(join(tmpdir(), 'footnote-research-'));
  const dataDir = join(directory, 'data');
  await prepareDataDir(dataDir);
  const limits = { RESEARCH_PER_USER: '1000', RESEARCH_PER_WORKSPACE: '1000' };
  const paces = {
    RESEARCH_FIRST_POLL_SECONDS: '0.5',
    RESEARCH_POLLS_PER_MINUTE: '6000',
    RESEARCH_SUBMISSIONS_PER_MINUTE: '6000',
  };
  const options = {
    ...slack.connection,
    ...discord.connection,
    perplexity,
    cwd: directory,
    dataDir,
    env: { ...limits, ...paces, ...env },
  };
  const child = await startService(options);
  return {
    slack,
    discord,
    perplexity,
    talks: [talkOn(slack, perplexity), talkOn(discord, perplexity)],
    clock,
    async listed(job) {
      const response = await fetch(`http://127.0.0.1:${child.port}/research`);
      const entries = (await response.json()) as readonly JobEntry[]; // our own service wrote it
      const rows = formatJobsTable(entries, null, Date.now()).split('\n');
      return rows.find((row) => row.includes(job)) ?? '';
    },
    reported: () => reportJobs(options, child.port),
    async close() {
      await child.kill('SIGKILL');
      await Promise.all([slack.close(), discord.close(), perplexity.close()]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The stand-in lets people use only what the manifest declares. */
export async function declareCommands({ server }: DiscordSide): Promise<void> {
  const rest = createRest({ token: server.token, apiUrl: server.apiUrl, log: quietLog });
  const manifest = asRecords(JSON.parse(readFileSync(MANIFEST, 'utf8')));
  await registerCommands(rest, manifest, { applicationId: null, guild: null, dryRun: false });
  rest.close();
}

function talkOn(side: Side, { research }: PerplexityServer): Talk {
  const cards = (place: Place): readonly Post[] =>
    side.posts(place).filter(({ text }) => NAME.test(text) && !isNotice(text));
  const jobsOf = (text: string) =>
    research.jobs.filter(({ question }) => question.includes(`${text} ${side.name}`));
  const see = (what: string, condition: () => boolean): Promise<void> =>
    until(side, what, WITHIN_MS, condition);
  return {
    side,
    async research(text, person) {
      const place = side.mention(`research: ${text} ${side.name}`, person);
      await see('a card', () => cards(place).length > 0);
      return place;
    },
    cards,
    notices: (place) => side.posts(place).filter(({ text }) => isNotice(text)),
    nameIn: (place) => NAME.exec(cards(place)[0]?.text ?? '')?.[0] ?? '',
    jobsOf,
    async isBegun(text) {
      await expect.poll(() => jobsOf(text).length, { timeout: WITHIN_MS }).toBe(1);
    },
    see,
    pressStop(place, person) {
      const card = cards(place).find(({ buttons }) => buttons.includes('Stop'));
      if (!card) throw new Error('nothing to stop');
      side.press(place, card, 'Stop', person);
    },
    readable: (place) => [...side.shownAlone(), ...side.posts(place).map(({ text }) => text)].join('\n'),
  };
}

/** Whether it is the one message that tells the asker of the end. */
export function isNotice(text: string): boolean {
  return /Research (?:finished in|failed after)/.test(text);
}
