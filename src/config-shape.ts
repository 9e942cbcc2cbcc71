/** What can be set, by variable → the configuration, by what uses it. */
import { unescape } from 'node:querystring';
import type { z } from 'zod';
import { type DISCORD_SETTINGS, SETTINGS, type Values } from './config-table.ts';
import { metaOf } from './config-types.ts';
import type { RequestRate, RequestRates } from './core/model-rate-limiter.ts';
import type { AnswerOptions } from './core/types.ts';

/** Arranges what is set by what uses it. */
export function shapeConfig(values: Values) {
  return {
    slack: slackOf(values),
    discord: shapeDiscord(values),
    /** Who may act on other people's questions, by id. */
    admins: { slack: values.SLACK_ADMINS, discord: values.DISCORD_ADMINS },
    perplexity: {
      apiKey: values.PERPLEXITY_API_KEY,
      baseUrl: values.PERPLEXITY_BASE_URL,
      api: values.PERPLEXITY_API,
      /** What the Agent API is sent for a model name instead of the built-in table's entry. */
      profiles: values.AGENT_PROFILES,
      /** How many requests may be made; more wait. */
      rates: ratesOf(values),
    },
    store: { databaseUrl: values.DATABASE_URL ?? null, dataDir: values.DATA_DIR },
    server: { host: values.HOST, port: values.PORT },
    readyNeedsModel: values.READY_NEEDS_MODEL,
    logLevel: values.LOG_LEVEL,
    answers: {
      defaults: { ...optionsOf(values), profile: values.DEFAULT_MODEL.profile },
      systemPrompt: values.SYSTEM_PROMPT,
      contextChars: values.CONTEXT_CHARS,
    },
    files: {
      files: values.FILES_PER_QUESTION,
      bytes: values.FILE_MAX_MB * 1_000_000,
      pages: values.FILE_MAX_PAGES,
      chars: values.FILE_MAX_CHARS,
    },
    history: { window: values.HISTORY_EXCHANGES, ttlMs: values.HISTORY_DAYS * 24 * 3_600_000 },
    follow: values.FOLLOW,
    concurrentAnswers: values.CONCURRENT_ANSWERS,
    running: {
      perPerson: values.ANSWERS_PER_PERSON,
      perChannel: values.ANSWERS_PER_CHANNEL,
      perWorkspace: values.ANSWERS_PER_WORKSPACE,
    },
    waiting: { perPerson: values.WAITING_PER_PERSON, perWorkspace: values.WAITING_PER_WORKSPACE },
    research: researchOf(values),
    shutdownGraceMs: values.SHUTDOWN_GRACE_SECONDS * 1000,
    secrets: secretsOf(values),
  };
}

/** Values that must never reach a log line. */
function secretsOf(values: Values): string[] {
  const secrets = Object.entries(values).filter(
    ([variable]) => metaOf(SETTINGS.shape[variable as keyof typeof SETTINGS.shape]).isSecret,
  );
  const tokens = secrets.map(([, value]) => value).filter((value) => typeof value === 'string');
  const password = values.DATABASE_URL ? new URL(values.DATABASE_URL).password : '';
  // As it is written and as it is sent; `unescape` throws at nothing.
  return [...tokens, ...(password ? [password, unescape(password)] : [])];
}

function slackOf(values: Values) {
  const { SLACK_BOT_TOKEN: botToken, SLACK_APP_TOKEN: appToken } = values;
  if (!botToken || !appToken) return null;
  return {
    botToken,
    appToken,
    apiUrl: `${values.SLACK_API_URL}/`,
    commands: {
      ask: values.SLACK_ASK_COMMAND,
      research: values.SLACK_RESEARCH_COMMAND,
      jobs: values.SLACK_JOBS_COMMAND,
    },
  };
}

/** The part that a command needs which only talks to Discord; null without a token. */
export function shapeDiscord(values: z.output<typeof DISCORD_SETTINGS>) {
  if (!values.DISCORD_TOKEN) return null;
  return {
    token: values.DISCORD_TOKEN,
    applicationId: values.DISCORD_APPLICATION_ID ?? null,
    /** Null for Discord's own. */
    apiUrl: values.DISCORD_API_URL ?? null,
    messageContent: values.DISCORD_MESSAGE_CONTENT,
    threads: values.DISCORD_THREADS,
  };
}

function researchOf(values: Values) {
  return {
    limits: { perPerson: values.RESEARCH_PER_USER, perWorkspace: values.RESEARCH_PER_WORKSPACE },
    /** From submitting a job to its first poll; the pauses after it grow from there. */
    firstPollMs: values.RESEARCH_FIRST_POLL_SECONDS * 1000,
    /** After so long people are told that it takes longer, and polls become rare. */
    deadlineMs: values.RESEARCH_DEADLINE_MINUTES * 60_000,
  };
}

/** The lowest tier allows one request a second and 50 a minute; higher tiers keep about this ratio. */
const MINUTE_PER_SECOND = 50;

/** Where nothing is set, the lowest tier; where one of the two is, the other follows from it. */
function ratesOf(values: Values): RequestRates {
  const second = values.PERPLEXITY_REQUESTS_PER_SECOND;
  const minute = values.PERPLEXITY_REQUESTS_PER_MINUTE;
  const perSecond = second ?? (minute && Math.max(1, Math.round(minute / MINUTE_PER_SECOND)));
  const perMinute = minute ?? (second ?? 1) * MINUTE_PER_SECOND;
  // 0 stands for no limit.
  const rate = (second: number | null, minute: number, mayRise = false): RequestRate => ({
    perSecond: second || null,
    perMinute: minute || null,
    mayRise,
  });
  // A number that somebody has set is never exceeded.
  const isOpen = second === undefined && minute === undefined;
  return {
    agent: rate(perSecond ?? 1, perMinute, isOpen),
    chat: rate(second ?? null, perMinute, isOpen),
    'chat-submit': rate(null, values.RESEARCH_SUBMISSIONS_PER_MINUTE),
    'chat-poll': rate(null, values.RESEARCH_POLLS_PER_MINUTE),
  };
}

function optionsOf(values: Values): AnswerOptions {
  return {
    ...(values.MAX_TOKENS !== undefined && { maxTokens: values.MAX_TOKENS }),
    ...(values.TEMPERATURE !== undefined && { temperature: values.TEMPERATURE }),
    ...(values.TOP_P !== undefined && { topP: values.TOP_P }),
    ...(values.PRESENCE_PENALTY !== undefined && { presencePenalty: values.PRESENCE_PENALTY }),
    ...(values.FREQUENCY_PENALTY !== undefined && { frequencyPenalty: values.FREQUENCY_PENALTY }),
    ...(values.SEARCH_RECENCY && { recency: values.SEARCH_RECENCY }),
    ...(values.SEARCH_DOMAINS && { domains: values.SEARCH_DOMAINS }),
    ...(values.MAX_SEARCH_RESULTS !== undefined && { maxSearchResults: values.MAX_SEARCH_RESULTS }),
    ...(values.SEARCH_CONTEXT_SIZE && { searchContextSize: values.SEARCH_CONTEXT_SIZE }),
    ...(values.SEARCH_MODE && { searchMode: values.SEARCH_MODE }),
    ...(values.RELATED_QUESTIONS !== undefined && { relatedQuestions: values.RELATED_QUESTIONS }),
  };
}
