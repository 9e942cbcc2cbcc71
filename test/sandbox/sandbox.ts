import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { lockDataDir } from '../../src/store/data-dir.ts';
import { type DiscordServer, startDiscordServer } from '../servers/discord/discord-server.ts';
import type { DiscordState } from '../servers/discord/state.ts';
import {
  type PerplexityServer,
  type PerplexityState,
  startPerplexityServer,
} from '../servers/perplexity/server.ts';
import { type SlackServer, startSlackServer } from '../servers/slack/server.ts';
import type { SlackState } from '../servers/slack/types.ts';
import type { ServiceOptions } from '../support/service.ts';
import { discordSide } from './discord-side.ts';
import { readSaved, type Saving, saveTo } from './saved-state.ts';
import { slackSide } from './slack-side.ts';
import { createStateFeed } from './state-feed.ts';
import { type Supervisor, superviseService } from './supervisor.ts';
import { startWeb } from './web.ts';

export interface SandboxOptions {
  /** The page's; 0 for any free one. */
  readonly port: number;
  /** Where conversations, research under way, the service's data and the log of its last run are kept. */
  readonly directory: string;
  /** The real API; null for the stand-in. */
  readonly perplexity: { readonly url: string; readonly apiKey: string } | null;
  /** Further variables for the service. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Sandbox {
  /** The page's address. */
  readonly url: string;
  readonly slack: SlackServer;
  readonly discord: DiscordServer;
  readonly perplexity: PerplexityServer | null;
  readonly supervisor: Supervisor;
  /** Ends the service, then everything else; conversations are saved. */
  close(): Promise<void>;
}

/** About how fast the real API writes: the stand-in's tokens are words, each one and a half of the real ones. */
const HUMAN_PACE = {
  tokensPerSecond: 35,
  firstTokenMs: 400,
  // Research is not waited for as long as it takes upstream: ten minutes are half of one here.
  jobs: { takesMs: 600_000, speed: 20 },
};

const SETTINGS = { SHUTDOWN_GRACE_SECONDS: '3' };
/** Perplexity itself has its limits: the settings' own defaults hold. */
const REAL_SETTINGS = { PERPLEXITY_REQUESTS_PER_SECOND: '', PERPLEXITY_REQUESTS_PER_MINUTE: '' };
/** The stand-in's research is quick: one that is stuck should be told of while somebody still looks at the page. And it limits nothing. */
const STAND_IN_SETTINGS = { RESEARCH_DEADLINE_MINUTES: '5', RESEARCH_SUBMISSIONS_PER_MINUTE: '600' };

/**
 * Starts the stand-ins, the unmodified service as a child process, and the page. Does not wait for the service.
 * @throws {StoreError} `data-dir-locked` when another sandbox runs on the same directory
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { directory } = options;
  const unlock = await lockDataDir(directory);
  const slackFile = join(directory, 'slack.json');
  const discordFile = join(directory, 'discord.json');
  const upstreamFile = join(directory, 'perplexity.json');
  // As this program saved them.
  const slackBefore = readSaved(slackFile) as Saved<SlackState> | undefined;
  const discordBefore = readSaved(discordFile) as Saved<DiscordState> | undefined;
  const upstreamBefore = readSaved(upstreamFile) as PerplexityState | undefined;
  const slack = await atSameAddress(slackBefore, (again) => startSlackServer({ limits: 'real', ...again }));
  const discord = await atSameAddress(discordBefore, (again) =>
    startDiscordServer({ limits: 'real', ...again }),
  );
  const perplexity = options.perplexity
    ? null
    : await startPerplexityServer({ ...HUMAN_PACE, ...(upstreamBefore && { state: upstreamBefore }) });
  const savings = [
    saveTo(slackFile, () => saved(slack)),
    saveTo(discordFile, () => saved(discord)),
    saveTo(upstreamFile, () => perplexity?.snapshot()),
  ] as const;

  const logFile = join(directory, 'service.log');
  rmSync(logFile, { force: true });
  const model = options.perplexity ?? { url: perplexity?.url ?? '', apiKey: perplexity?.apiKey ?? '' };
  const service: ServiceOptions = {
    slack,
    discord,
    perplexity: model,
    dataDir: join(directory, 'data'),
    cwd: directory,
    env: { ...SETTINGS, ...(perplexity ? STAND_IN_SETTINGS : REAL_SETTINGS), ...options.env },
    onLine: (line) => appendFileSync(logFile, `${JSON.stringify(line)}\n`),
  };
  const feed = createStateFeed(() => ({
    service: supervisor.status(),
    model: {
      kind: options.perplexity ? 'real' : 'stand-in',
      url: model.url,
      research: perplexity && paceOf(perplexity),
    },
    slack: slackSide(slack, Date.now()),
    discord: discordSide(discord, Date.now()),
  }));
  const supervisor = superviseService(service, () => feed.touch());
  watch(slack, savings[0], feed);
  watch(discord, savings[1], feed);
  perplexity?.onChange(savings[2].changed);
  const stage = { slack, discord, perplexity, supervisor, changed: () => feed.touch() };
  const web = await startWeb(options.port, feed, stage);

  return {
    url: `http://127.0.0.1:${web.port}`,
    slack,
    discord,
    perplexity,
    supervisor,
    async close() {
      await supervisor.stop();
      feed.close();
      await web.close();
      for (const saving of savings) saving.close();
      await Promise.all([slack.close(), discord.close(), perplexity?.close()]);
      unlock();
    },
  };
}

function paceOf({ research }: PerplexityServer): { takesMs: number; speed: number } {
  const { takesMs, speed } = research.pace();
  return { takesMs, speed };
}

function watch(server: SlackServer | DiscordServer, saving: Saving, feed: { touch(): void }): void {
  server.onChange(() => {
    saving.changed();
    feed.touch();
  });
}

interface Saved<State> {
  readonly port: number;
  readonly state: State;
}

function saved<State>(server: { readonly apiUrl: string; snapshot(): State }): Saved<State> {
  return { port: Number(new URL(server.apiUrl).port), state: server.snapshot() };
}

/** Slack and Discord do not move while the service is away: it goes on at the addresses it knows, where they are still free. */
async function atSameAddress<State, Started>(
  before: Saved<State> | undefined,
  start: (again: Partial<Saved<State>>) => Promise<Started>,
): Promise<Started> {
  if (before === undefined) return start({});
  try {
    return await start(before);
  } catch {
    return start({ state: before.state });
  }
}
