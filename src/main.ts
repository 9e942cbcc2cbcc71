import './node-version.js';
import { flushCompileCache } from 'node:module';
import { type Config, loadConfig } from './config.ts';
import { createIntake } from './core/answering/accept.ts';
import type { AnsweringSettings } from './core/answering/deps.ts';
import { createHistory, type History } from './core/answering/history.ts';
import { createStops } from './core/answering/stop.ts';
import { onDemand } from './core/concurrency.ts';
import { createAdminAlerts } from './core/notifications.ts';
import type { Intake, Log, Platform, ResearchCommands } from './core/ports.ts';
import { createResearchIntake } from './core/research/accept.ts';
import type { JobEntry } from './core/research/jobs-table.ts';
import type { ResearchMessages } from './core/research/ports.ts';
import type { PlatformName } from './core/types.ts';
import { createLog } from './log.ts';
import { createMetrics } from './ops/metrics.ts';
import { startOpsServer } from './ops/server.ts';
import type { DiscordApp } from './platforms/discord/discord.ts';
import { exitCodeOf, explainStart } from './start-faults.ts';
import type { Lease } from './store/leases.ts';
import { openStore, type Store } from './store/store.ts';
import { listResearch, takeUpWork, type WorkDeps } from './work.ts';

/** Wires the service together and starts it; returns how to stop it. */
async function start(config: Config, log: Log): Promise<() => Promise<void>> {
  for (const warning of config.warnings) log.warn({}, warning);
  const { metrics, ...figures } = createMetrics();
  const told: Told = { unready: async () => ['still starting'], research: async () => [] };
  const ops = await startOpsServer({
    ...config.server,
    metrics: figures.read,
    unready: () => told.unready(),
    research: () => told.research(),
  });
  const { store, slack, discord } = await openAll(config, log);
  const { platforms, researchMessages } = sidesOf({ slack, discord });
  const admins = { slack: config.slack?.admins ?? [], discord: config.discord?.admins ?? [] };
  const isAdmin = (platform: PlatformName, person: string): boolean => admins[platform].includes(person);
  const stops = createStops(store.keyValue('stops'), log);
  const shared = { ...store, platforms, stops, metrics, log, isAdmin };
  const perplexity = onDemand(async () => {
    const { createPerplexity } = await import('./perplexity/perplexity.ts');
    return createPerplexity({ ...config.perplexity, log });
  });
  const deps: WorkDeps = { ...shared, ...answeringOf(config, store, admins), researchMessages };
  const desk = await takeUpWork(config, store, deps, perplexity);

  const intake = createIntake({
    ...shared,
    research: createResearchIntake(shared),
    follow: config.answers.follow,
  });
  told.unready = () => unready(store, { slack, discord });
  told.research = () => listResearch(store.researches);
  await slack?.listen(intake, desk);
  // One replica holds Discord's gateway: a second session would get every event twice.
  const gateway = discord && holdGateway(store, discord, { intake, desk, log });
  await gateway?.decided;
  log.info(
    { store: store.kind, platforms: [...platforms.keys()], port: ops.port, pid: process.pid },
    'ready',
  );
  finishLoading(async () => void (await Promise.all([perplexity(), figures.load()])));

  return async () => {
    told.unready = async () => ['stopping'];
    log.info({}, 'stopping');
    await drain(config, store, slack, gateway);
    await discord?.stop();
    await ops.close();
    await store.close();
    log.info({}, 'stopped');
  };
}

/** Where another replica takes the gateway over, events still come until it has: it answers what is accepted then. */
async function drain(
  { shutdownGraceMs }: Config,
  store: Store,
  slack: { stop(): Promise<void> } | null,
  gateway: Lease | null,
): Promise<void> {
  const handedOver = gateway?.stop();
  await slack?.stop();
  await store.jobs.stop(shutdownGraceMs);
  await handedOver;
}

/** What the ops server tells; more once the service is up. */
interface Told {
  unready: () => Promise<readonly string[]>;
  research: () => Promise<readonly JobEntry[]>;
}

interface Inbound {
  readonly intake: Intake;
  readonly desk: ResearchCommands;
  readonly log: Log;
}

/** The outbound ports of the platforms that are configured. */
function sidesOf({ slack, discord }: Sides) {
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

/** The probe that waits for a ready service, or a first question, goes before. */
const LOAD_AFTER_MS = 200;
const KEEP_AFTER_MS = 10_000;

/** Loads what no start has to wait for, so that no question has to either, and has Node keep what it has compiled. */
function finishLoading(load: () => Promise<void>): void {
  setTimeout(() => void load(), LOAD_AFTER_MS).unref();
  // It does so by itself only at an exit in order.
  setTimeout(flushCompileCache, KEEP_AFTER_MS).unref();
}

function holdGateway(store: Store, discord: DiscordApp, inbound: Inbound): Lease {
  const { intake, desk, log } = inbound;
  const sessions = store.keyValue('discord');
  const acquired = (): Promise<void> => discord.listen(intake, sessions, desk);
  const duties = { acquired, lost: () => discord.unlisten(), log };
  return store.holdLease('discord-gateway', duties);
}

function answeringOf(
  config: Config,
  store: Store,
  admins: Readonly<Record<PlatformName, readonly string[]>>,
) {
  return {
    history: historyOf(config, store),
    settings: settingsOf(config),
    hasAdmins: (platform: PlatformName) => admins[platform].length > 0,
    alertAdmins: createAdminAlerts(store.jobs, admins),
  };
}

function settingsOf({ answers }: Config): AnsweringSettings {
  const { systemPrompt, contextChars, options, model } = answers;
  return { defaults: { ...options, profile: model }, systemPrompt, contextChars };
}

function historyOf({ answers }: Config, store: Store): History {
  const options = { window: answers.historyExchanges, ttlMs: answers.historyDays * 24 * 3_600_000 };
  return createHistory(store.keyValue('history'), options);
}

async function unready(store: Store, { slack, discord }: Apps): Promise<string[]> {
  const reasons: string[] = [];
  await store.ping().catch(() => reasons.push('the store does not answer'));
  if (slack && !slack.ready()) reasons.push('Slack is not connected');
  if (discord && !discord.ready()) reasons.push('Discord is not connected');
  return reasons;
}

interface Sides {
  readonly slack: Outbound | null;
  readonly discord: Outbound | null;
}

interface Outbound {
  readonly platform: Platform;
  readonly researchMessages: ResearchMessages;
}

interface Apps {
  readonly slack: { ready(): boolean } | null;
  readonly discord: { ready(): boolean } | null;
}

// Loaded only when configured: a Slack-only service never pays for discord.js, nor the other way round.
async function openSlack({ slack }: Config, log: Log) {
  if (!slack) return null;
  const platform = await import('./platforms/slack/slack.ts');
  return platform.openSlack({ ...slack, log: log.child({ platform: 'slack' }) });
}

async function openDiscord({ discord }: Config, log: Log) {
  if (!discord) return null;
  const platform = await import('./platforms/discord/discord.ts');
  return platform.openDiscord({ ...discord, log: log.child({ platform: 'discord' }) });
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
        () => process.exit(1),
      );
    });
  }
  return {
    started(stop) {
      drain = stop;
    },
  };
}

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
