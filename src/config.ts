import { type Fault, type Fields, readVariables, unknownVariables } from './config-variables.ts';
import type { ResolvedProfile } from './core/commands/options.ts';
import type { AnswerOptions, ProfileName } from './core/types.ts';

/** Everything an operator can set, validated and frozen. This file is the only reader of the environment. */
export interface Config {
  readonly slack: SlackConfig | null;
  readonly discord: DiscordConfig | null;
  readonly perplexity: {
    readonly apiKey: string;
    readonly baseUrl: string;
    readonly api: 'auto' | 'chat' | 'agent';
    /** What the Agent API is sent for a model name instead of the built-in table's entry. */
    readonly profiles: Readonly<
      Partial<Record<ProfileName, { readonly agent: Readonly<Record<string, unknown>> }>>
    >;
  };
  readonly store: { readonly databaseUrl: string | null; readonly dataDir: string };
  readonly server: { readonly host: string; readonly port: number };
  readonly logLevel: string;
  readonly answers: {
    /** With what to say about it when the operator wrote a name that stands for another one now. */
    readonly model: ResolvedProfile;
    readonly options: AnswerOptions;
    readonly systemPrompt: string;
    readonly follow: 'auto' | 'always' | 'mention';
    readonly contextChars: number;
    readonly historyExchanges: number;
    readonly historyDays: number;
    readonly concurrent: number;
  };
  readonly research: {
    readonly perPerson: number;
    readonly perWorkspace: number;
    /** After so long people are told that it takes longer, and looks become rare. */
    readonly deadlineMs: number;
    /** From handing a job in to the first look at it; the pauses after it grow from there. */
    readonly firstPollMs: number;
    /** Looks per minute at the running jobs of one API, all together. */
    readonly pollsPerMinute: { readonly chat: number; readonly agent: number };
    /** Jobs handed in per minute as asynchronous chat completions. */
    readonly submissionsPerMinute: number;
  };
  readonly shutdownGraceMs: number;
  /** Variables that look like ours and are not: most likely misspelt. */
  readonly unknown: readonly string[];
  /** Values that must never reach a log line. */
  readonly secrets: readonly string[];
}

interface SlackConfig {
  readonly botToken: string;
  readonly appToken: string;
  readonly apiUrl: string;
  /** The slash commands' names, each with its slash. */
  readonly commands: { readonly ask: string; readonly research: string; readonly jobs: string };
  readonly admins: readonly string[];
}

interface DiscordConfig {
  readonly token: string;
  readonly applicationId: string | null;
  /** Null for Discord's own. */
  readonly apiUrl: string | null;
  readonly messageContent: boolean;
  readonly threads: 'always' | 'never';
  readonly admins: readonly string[];
}

/** Thrown with all faults at once; holds no value of any variable. */
export class ConfigError extends Error {
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(faults.map(({ variable, remedy }) => `${variable}: ${remedy}`).join('\n'));
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

/**
 * Reads the configuration; an empty variable counts as left out.
 * @throws {ConfigError} listing every fault found, each with its remedy.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.entries(env)
      .map(([name, value]) => [name, value?.trim()] as const)
      .filter(([, value]) => value !== undefined && value !== ''),
  );
  const { fields, faults } = readVariables(given);
  const all = [...faults, ...missing(given)];
  if (all.length > 0) throw new ConfigError(all);
  return Object.freeze({ ...configOf(fields), unknown: unknownVariables(given) });
}

/** What only the variables together can show. */
function missing(given: Readonly<Record<string, string | undefined>>): Fault[] {
  const faults: Fault[] = [];
  const need = (variable: string, remedy: string): void => {
    if (!given[variable]) faults.push({ variable, remedy });
  };
  if (given['SLACK_APP_TOKEN'])
    need('SLACK_BOT_TOKEN', 'is missing or empty; Slack needs both tokens (docs/slack.md)');
  if (given['SLACK_BOT_TOKEN'])
    need('SLACK_APP_TOKEN', 'is missing or empty; Slack needs both tokens (docs/slack.md)');
  const hasDiscordSetting = given['DISCORD_APPLICATION_ID'] ?? given['DISCORD_API_URL'];
  if (hasDiscordSetting) need('DISCORD_TOKEN', 'is missing or empty (docs/discord.md)');
  const hasPlatform =
    given['SLACK_BOT_TOKEN'] ?? given['SLACK_APP_TOKEN'] ?? given['DISCORD_TOKEN'] ?? hasDiscordSetting;
  if (!hasPlatform) {
    const remedy =
      'set the tokens of Slack, of Discord, or of both; to try it without accounts: npm run sandbox';
    faults.push({ variable: 'SLACK_BOT_TOKEN, SLACK_APP_TOKEN, DISCORD_TOKEN', remedy });
  }
  need('PERPLEXITY_API_KEY', 'is missing or empty; create one in the Perplexity API settings');
  return faults;
}

function configOf(values: Fields): Omit<Config, 'unknown'> {
  const { SLACK_BOT_TOKEN: botToken, SLACK_APP_TOKEN: appToken, DISCORD_TOKEN: discordToken } = values;
  const apiKey = values.PERPLEXITY_API_KEY ?? '';
  const password = values.DATABASE_URL ? new URL(values.DATABASE_URL).password : '';
  return {
    slack: botToken && appToken ? slackOf(values, botToken, appToken) : null,
    discord: discordToken ? discordOf(values, discordToken) : null,
    perplexity: {
      apiKey,
      baseUrl: values.PERPLEXITY_BASE_URL,
      api: values.PERPLEXITY_API,
      profiles: Object.fromEntries(
        Object.entries(values.AGENT_PROFILES).map(([name, agent]) => [name, { agent }]),
      ),
    },
    store: { databaseUrl: values.DATABASE_URL ?? null, dataDir: values.DATA_DIR },
    server: { host: values.HOST, port: values.PORT },
    logLevel: values.LOG_LEVEL,
    answers: answersOf(values),
    research: researchOf(values),
    shutdownGraceMs: values.SHUTDOWN_GRACE_SECONDS * 1000,
    secrets: [botToken, appToken, discordToken, apiKey, password, decoded(password)].filter(
      (secret): secret is string => secret !== undefined && secret !== '',
    ),
  };
}

/** The password as it is sent; one that holds a bare `%` cannot be decoded and is left as it is. */
function decoded(password: string): string {
  try {
    return decodeURIComponent(password);
  } catch {
    return password;
  }
}

function slackOf(values: Fields, botToken: string, appToken: string): SlackConfig {
  const { SLACK_API_URL, SLACK_ADMINS: admins } = values;
  const commands = {
    ask: values.SLACK_ASK_COMMAND,
    research: values.SLACK_RESEARCH_COMMAND,
    jobs: values.SLACK_JOBS_COMMAND,
  };
  return { botToken, appToken, apiUrl: `${SLACK_API_URL}/`, commands, admins };
}

function discordOf(values: Fields, discordToken: string): DiscordConfig {
  return {
    token: discordToken,
    applicationId: values.DISCORD_APPLICATION_ID ?? null,
    apiUrl: values.DISCORD_API_URL ?? null,
    messageContent: values.DISCORD_MESSAGE_CONTENT,
    threads: values.DISCORD_THREADS,
    admins: values.DISCORD_ADMINS,
  };
}

function answersOf(values: Fields): Config['answers'] {
  return {
    model: values.DEFAULT_MODEL,
    options: optionsOf(values),
    systemPrompt: values.SYSTEM_PROMPT,
    follow: values.FOLLOW,
    contextChars: values.CONTEXT_CHARS,
    historyExchanges: values.HISTORY_EXCHANGES,
    historyDays: values.HISTORY_DAYS,
    concurrent: values.CONCURRENT_ANSWERS,
  };
}

/** Perplexity allows 6,000 looks a minute at asynchronous chat completions, and 50 requests of any kind on the Agent API's lowest tier. */
const LOOKS_PER_MINUTE = { chat: 1_000, agent: 40 };

function researchOf(values: Fields): Config['research'] {
  const looks = values.RESEARCH_POLLS_PER_MINUTE;
  return {
    perPerson: values.RESEARCH_PER_USER,
    perWorkspace: values.RESEARCH_PER_WORKSPACE,
    deadlineMs: values.RESEARCH_DEADLINE_MINUTES * 60_000,
    submissionsPerMinute: values.RESEARCH_SUBMISSIONS_PER_MINUTE,
    firstPollMs: values.RESEARCH_FIRST_POLL_SECONDS * 1000,
    pollsPerMinute: looks === undefined ? LOOKS_PER_MINUTE : { chat: looks, agent: looks },
  };
}

function optionsOf(values: Fields): AnswerOptions {
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
