import './node-version.js';
import { type Config, loadConfig } from './config.ts';
import { createIntake } from './core/answering/accept.ts';
import type { AnsweringDeps } from './core/answering/deps.ts';
import { createHistory } from './core/answering/history.ts';
import { createStops } from './core/answering/stop.ts';
import { runInBackground, sleep } from './core/concurrency.ts';
import { idFrom } from './core/ids.ts';
import type { ModelRateLimiter, RequestKind } from './core/model-rate-limiter.ts';
import type { Log, Metrics } from './core/ports.ts';
import { createAdminAlerts } from './core/private-messages.ts';
import { createResearchIntake } from './core/research/accept.ts';
import { createResearchCommands } from './core/research/commands.ts';
import { listJobs } from './core/research/jobs-table.ts';
import type { ResearchPlatform } from './core/research/ports.ts';
import type { ResearchDeps } from './core/research/step.ts';
import type { PlatformName } from './core/types.ts';
import { createLog } from './log.ts';
import { createMetrics } from './ops/metrics.ts';
import { type OpsServer, startOpsServer } from './ops/server.ts';
import { readPdf } from './pdf/read-pdf.ts';
import type { RateLimitNotice } from './perplexity/client.ts';
import { createPerplexity, type Perplexity } from './perplexity/perplexity.ts';
import type { DiscordApp } from './platforms/discord/app.ts';
import type { SlackApp } from './platforms/slack/app.ts';
import { startQueues } from './queues.ts';
import { reportFault } from './start-faults.ts';
import type { Lease } from './store/leases.ts';
import { openStore, type Store } from './store/store.ts';

/** What remains after the grace: answers are cut off and handed over, connections closed. A store that hangs is not waited for. */
const WIND_UP_MS = 1_500;
/** Within this time a second signal is a copy: a terminal signals the whole process group, and npm forwards what it got. */
const COPY_MS = 1_000;

// A log reader that goes away must not take the service with it.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});
/** Before the queues run there is nothing to drain. */
let stop = async (): Promise<void> => {};
let isStopping = false;
stopOnSignals();
try {
  const config = loadConfig();
  const log = createLog({ level: config.logLevel, secrets: config.secrets });
  // discord.js 14.28 and @discordjs/ws 1.2.3 throw where nobody can catch: at a dispatch without data before the guilds are
  // there, and at a socket that fails after it was given up. Ending the process would cut the answers of both platforms.
  process.on('uncaughtException', (error, origin) => log.error({ err: error, origin }, 'uncaught exception'));
  const service = await openService(config, log);
  stop = () => stopService(service);
  await startService(service);
} catch (error) {
  // A start that is told to stop fails where what it uses is closed.
  if (!isStopping) process.exit(reportFault(error));
}

interface Service extends Opened, ReturnType<typeof createDeps> {
  readonly config: Config;
  readonly log: Log;
  readonly ops: OpsServer;
  readonly status: { unready: () => Promise<readonly string[]> };
  /** What keeps it from being ready once it has started. */
  readonly unready: () => Promise<readonly string[]>;
  /** This and the next are set while it starts. */
  queues?: Promise<void>;
  gateway?: Lease | null;
  isReady: boolean;
}

/** Opens all that the service needs; nothing is answered yet. */
async function openService(config: Config, log: Log): Promise<Service> {
  for (const warning of config.warnings) log.warn({}, warning);
  let limiter: ModelRateLimiter | null = null;
  const onRateLimit = (kind: RequestKind, { perMinute, usedUpForMs }: RateLimitNotice): void => {
    if (perMinute !== null && limiter) runInBackground(log, 'rate limit', limiter.learn(kind, perMinute));
    if (usedUpForMs !== null && limiter)
      runInBackground(log, 'rate limit', limiter.blockFor(kind, usedUpForMs));
  };
  const perplexity = createPerplexity({ ...config.perplexity, log, onRateLimit });
  const { refusals } = perplexity.account;
  const { metrics, registry } = createMetrics(() => refusals().length > 0);
  const status = {
    unready: async (): Promise<readonly string[]> => ['still starting'],
    notes: () => (config.readyNeedsModel ? [] : refusals()),
    research: async (): Promise<readonly object[]> => [],
  };
  const ops = await startOpsServer({ ...config.server, registry, status });
  const opened = await openAll(config, log);
  const deps = createDeps(config, opened, perplexity, { metrics, log });
  const { modelRateLimiter } = deps.answering;
  limiter = modelRateLimiter;
  const admit = async (kind: RequestKind) => sleep((await modelRateLimiter.reserve(kind)).waitMs);
  // Beside the start: no question waits for it.
  runInBackground(log, 'key check', perplexity.account.check(admit));
  status.research = () => listJobs(opened.store.researches);
  const unready = async () => [...(await findUnready(opened)), ...(config.readyNeedsModel ? refusals() : [])];
  return { ...opened, ...deps, config, log, ops, status, unready, isReady: false };
}

/** Resolves once the service is ready, or when it was told to stop meanwhile. */
async function startService(service: Service): Promise<void> {
  const { config, log, ops, status, store, slack, discord, answering, research } = service;
  const researchCommands = createResearchCommands(research);
  const { concurrentAnswers, running, follow, waiting } = config;
  const slots = { concurrentAnswers, running };
  service.queues = startQueues(store.jobs, { answering, ...slots, research, researchCommands });
  await service.queues;
  if (isStopping) return;
  const intake = createIntake({
    ...answering,
    research: createResearchIntake(research),
    follow,
    waiting,
    refused: store.keyValue('refused'),
  });
  status.unready = service.unready;
  await slack?.listen(intake, researchCommands);
  if (isStopping) return;
  // One replica holds Discord's gateway: a second session would get every event twice.
  service.gateway =
    discord &&
    store.holdLease('discord-gateway', {
      acquired: () => discord.listen(intake, store.keyValue('discord'), researchCommands),
      lost: () => discord.unlisten(),
      log,
    });
  await service.gateway?.decided;
  if (isStopping) return;
  service.isReady = true;
  const platforms = [...answering.platforms.keys()];
  log.info({ store: store.kind, platforms, port: ops.port, pid: process.pid }, 'ready');
}

/** May be called while the service starts. Resolves within its grace and `WIND_UP_MS`. */
async function stopService(service: Service): Promise<void> {
  const { config, log, status } = service;
  status.unready = async () => ['stopping'];
  log.info({}, 'stopping');
  const isOver = await Promise.race([
    windUp(service).then(() => true),
    sleep(config.shutdownGraceMs + WIND_UP_MS).then(() => false),
  ]);
  if (isOver) log.info({}, 'stopped');
  else log.warn({}, 'stopped before everything had ended: the next start takes it up');
}

async function windUp(service: Service): Promise<void> {
  const { config, ops, store, slack, discord } = service;
  await service.queues;
  // Where another replica takes the gateway over, events still come until it has, and are stored for others to answer.
  const handedOver = service.gateway?.stop();
  // A session that has not begun would be waited for.
  const abandoned = service.isReady ? undefined : discord?.unlisten();
  await Promise.all([slack?.stop(), store.jobs.stop(config.shutdownGraceMs), handedOver, abandoned]);
  await discord?.stop();
  await ops.close();
  await store.close();
}

interface Opened {
  readonly store: Store;
  readonly slack: SlackApp | null;
  readonly discord: DiscordApp | null;
}

async function openAll(config: Config, log: Log): Promise<Opened> {
  const open = (): Promise<Store> => openStore({ ...config.store, log });
  // The embedded database's first start keeps this thread busy for seconds: a refused token is to be told before that.
  const isEmbedded = config.store.databaseUrl === null;
  const [slack, discord, opened] = await Promise.all([
    openSlack(config, log),
    openDiscord(config, log),
    isEmbedded ? Promise.resolve(null) : open(),
  ]);
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

/** What the core's two halves work with. */
function createDeps(
  { admins, answers, history, perplexity, ...config }: Config,
  { store, slack, discord }: Opened,
  { model, research }: Perplexity,
  observed: { readonly metrics: Metrics; readonly log: Log },
): { readonly answering: AnsweringDeps; readonly research: ResearchDeps } {
  const platforms = new Map<PlatformName, ResearchPlatform>();
  for (const app of [slack, discord]) if (app) platforms.set(app.platform.name, app.platform);
  const { jobs, threads, researches } = store;
  const account = idFrom('perplexity', perplexity.baseUrl, perplexity.apiKey);
  const shared = {
    ...observed,
    platforms,
    jobs,
    threads,
    answers: store.answers,
    modelRateLimiter: store.modelRateLimiter(account, perplexity.rates),
    history: createHistory(store.keyValue('history'), history),
    isAdmin: (platform: PlatformName, person: string) => admins[platform].includes(person),
    hasAdmins: (platform: PlatformName) => admins[platform].length > 0,
    alertAdmins: createAdminAlerts(jobs, admins),
    files: { readPdf, limits: config.files },
  };
  const stops = createStops(store.keyValue('stops'), observed.log);
  const settings = { ...answers, ...config.research };
  const clock = { now: Date.now, random: Math.random };
  return {
    answering: { ...shared, model, stops, settings: answers },
    research: { ...shared, ...clock, model: research, researches, settings },
  };
}

async function findUnready({ store, slack, discord }: Opened): Promise<string[]> {
  const reasons: string[] = [];
  await store.ping().catch((error: Error) => reasons.push(error.message));
  if (slack && !slack.ready()) reasons.push('Slack is not connected');
  if (discord && !discord.ready()) reasons.push('Discord is not connected');
  return reasons;
}

/**
 * The first signal drains, the second ends at once: what is unfinished is taken up again by the next process. To be called
 * before the start: process 1 of a container never gets a signal it has no handler for.
 */
function stopOnSignals(): void {
  let signals = 0;
  let stoppingSince = 0;
  const onSignal = (): void => {
    signals += 1;
    if (isStopping) {
      // There is one copy at most: a third signal within the time is meant.
      if (signals > 2 || performance.now() - stoppingSince > COPY_MS) process.exit(1);
      return;
    }
    isStopping = true;
    stoppingSince = performance.now();
    stop().then(
      () => process.exit(0),
      (error) => {
        reportFault(error);
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, onSignal);
}
