import './node-version.js';
import { type Config, loadConfig } from './config.ts';
import { createIntake } from './core/answering/accept.ts';
import type { AnsweringDeps } from './core/answering/deps.ts';
import { createHistory } from './core/answering/history.ts';
import { createStops } from './core/answering/stop.ts';
import { createAdminAlerts } from './core/notifications.ts';
import type { Intake, Log, Metrics, Model, Platform, ResearchCommands } from './core/ports.ts';
import { createResearchIntake } from './core/research/accept.ts';
import { createResearchCommands } from './core/research/commands.ts';
import { listJobs } from './core/research/jobs-table.ts';
import type { ResearchMessages, ResearchModel } from './core/research/ports.ts';
import type { ResearchDeps } from './core/research/step.ts';
import type { PlatformName } from './core/types.ts';
import { createLog } from './log.ts';
import { createMetrics } from './ops/metrics.ts';
import { startOpsServer } from './ops/server.ts';
import { createPerplexity } from './perplexity/perplexity.ts';
import type { DiscordApp } from './platforms/discord/app.ts';
import { startQueues } from './queues.ts';
import { exitCodeOf, explainStart } from './start-faults.ts';
import type { Lease } from './store/leases.ts';
import { openStore, type Store } from './store/store.ts';

// A log reader that goes away must not take the service with it.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});
const signals = stopOnSignals();
try {
  const config = loadConfig();
  const log = createLog({ level: config.logLevel, secrets: config.secrets });
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'));
  signals.started(await start(config, log));
} catch (error) {
  process.stderr.write(`${explainStart(error)}\n`);
  process.exit(exitCodeOf(error));
}

/** Starts the service; returns how to stop it. */
async function start(config: Config, log: Log): Promise<() => Promise<void>> {
  for (const warning of config.warnings) log.warn({}, warning);
  const { metrics, registry } = createMetrics();
  const status = {
    unready: async () => ['still starting'],
    research: async (): Promise<readonly object[]> => [],
  };
  const ops = await startOpsServer({ ...config.server, registry, status });
  const { store, slack, discord } = await openAll(config, log);
  const { model, research } = createPerplexity({ ...config.perplexity, log });
  const sides = platformsOf({ slack, discord });
  const answering = answeringDeps(config, { store, model, metrics, log, platforms: sides.platforms });
  const researching = researchDeps(config, { ...sides, store, answering, model: research });
  const researchCommands = createResearchCommands(researching);
  await startQueues(store.jobs, {
    answering,
    concurrentAnswers: config.answers.concurrent,
    research: researching,
    researchCommands,
  });
  const intake = createIntake({
    ...answering,
    research: createResearchIntake(researching),
    follow: config.answers.follow,
  });
  status.unready = () => findUnready(store, { slack, discord });
  status.research = () => listJobs(store.researches);
  await slack?.listen(intake, researchCommands);
  const gateway = discord && holdGateway(store, discord, { intake, researchCommands, log });
  await gateway?.decided;
  const facts = {
    store: store.kind,
    platforms: [...sides.platforms.keys()],
    port: ops.port,
    pid: process.pid,
  };
  log.info(facts, 'ready');

  return async () => {
    status.unready = async () => ['stopping'];
    log.info({}, 'stopping');
    // Where another replica takes the gateway over, events still come until it has: this one answers what it accepts then.
    const handedOver = gateway?.stop();
    await slack?.stop();
    await store.jobs.stop(config.shutdownGraceMs);
    await handedOver;
    await discord?.stop();
    await ops.close();
    await store.close();
    log.info({}, 'stopped');
  };
}

async function openAll(config: Config, log: Log) {
  const open = (): Promise<Store> => openStore({ ...config.store, log });
  // The embedded database's first start keeps this thread busy for seconds: a refused token is to be told before that.
  const isEmbedded = config.store.databaseUrl === null;
  const opening = [
    openSlack(config, log),
    openDiscord(config, log),
    isEmbedded ? Promise.resolve(null) : open(),
  ] as const;
  const [slack, discord, opened] = await Promise.all(opening);
  return { slack, discord, store: opened ?? (await open()) };
}

// A platform that is not configured is not loaded.
async function openSlack({ slack }: Config, log: Log) {
  if (!slack) return null;
  const platform = await import('./platforms/slack/app.ts');
  return platform.openSlack({ ...slack, log: log.child({ platform: 'slack' }) });
}

async function openDiscord({ discord }: Config, log: Log) {
  if (!discord) return null;
  const platform = await import('./platforms/discord/app.ts');
  return platform.openDiscord({ ...discord, log: log.child({ platform: 'discord' }) });
}

type Opened<T> = Readonly<Record<PlatformName, T | null>>;

function platformsOf({ slack, discord }: Opened<{ platform: Platform; researchMessages: ResearchMessages }>) {
  const platforms = new Map<PlatformName, Platform>();
  const researchMessages = new Map<PlatformName, ResearchMessages>();
  for (const [name, app] of [
    ['slack', slack],
    ['discord', discord],
  ] as const) {
    if (app) platforms.set(name, app.platform);
    if (app) researchMessages.set(name, app.researchMessages);
  }
  return { platforms, researchMessages };
}

interface AnsweringParts extends Pick<AnsweringDeps, 'platforms' | 'log'> {
  readonly store: Store;
  readonly model: Model;
  readonly metrics: Metrics;
}

function answeringDeps({ answers, ...config }: Config, { store, ...parts }: AnsweringParts): AnsweringDeps {
  const admins = { slack: config.slack?.admins ?? [], discord: config.discord?.admins ?? [] };
  const { jobs, threads } = store;
  const memory = { window: answers.historyExchanges, ttlMs: answers.historyDays * 24 * 3_600_000 };
  const { systemPrompt, contextChars, options, model: profile } = answers;
  return {
    ...parts,
    jobs,
    threads,
    answers: store.answers,
    history: createHistory(store.keyValue('history'), memory),
    stops: createStops(store.keyValue('stops'), parts.log),
    settings: { defaults: { ...options, profile }, systemPrompt, contextChars },
    isAdmin: (platform, person) => admins[platform].includes(person),
    hasAdmins: (platform) => admins[platform].length > 0,
    alertAdmins: createAdminAlerts(jobs, admins),
  };
}

interface ResearchParts extends Pick<ResearchDeps, 'researchMessages'> {
  readonly store: Store;
  readonly answering: AnsweringDeps;
  readonly model: ResearchModel;
}

function researchDeps({ answers, research }: Config, parts: ResearchParts): ResearchDeps {
  const { perPerson, perWorkspace, ...paces } = research;
  const limits = { perPerson, perWorkspace };
  return {
    ...parts.answering,
    researches: parts.store.researches,
    researchMessages: parts.researchMessages,
    model: parts.model,
    settings: { ...paces, limits, defaults: answers.options, contextChars: answers.contextChars },
    now: Date.now,
    random: Math.random,
  };
}

interface Inbound {
  readonly intake: Intake;
  readonly researchCommands: ResearchCommands;
  readonly log: Log;
}

/** One replica holds Discord's gateway: a second session would get every event twice. */
function holdGateway(store: Store, discord: DiscordApp, { intake, researchCommands, log }: Inbound): Lease {
  const keyValue = store.keyValue('discord');
  const acquired = (): Promise<void> => discord.listen(intake, keyValue, researchCommands);
  return store.holdLease('discord-gateway', { acquired, lost: () => discord.unlisten(), log });
}

async function findUnready(
  store: Store,
  { slack, discord }: Opened<{ ready(): boolean }>,
): Promise<string[]> {
  const reasons: string[] = [];
  await store.ping().catch(() => reasons.push('the store does not answer'));
  if (slack && !slack.ready()) reasons.push('Slack is not connected');
  if (discord && !discord.ready()) reasons.push('Discord is not connected');
  return reasons;
}

/**
 * The first signal drains, the second ends at once: what is unfinished is taken up again by the next process. To be called
 * before the start, which has nothing to drain: process 1 of a container never gets a signal it has no handler for.
 */
function stopOnSignals(): { started(stop: () => Promise<void>): void } {
  let drain: (() => Promise<void>) | null = null;
  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isStopping) process.exit(1);
      if (!drain) process.exit(0);
      isStopping = true;
      drain().then(
        () => process.exit(0),
        (error) => {
          process.stderr.write(`${explainStart(error)}\n`);
          process.exit(1);
        },
      );
    });
  }
  return {
    started(stop) {
      drain = stop;
    },
  };
}
