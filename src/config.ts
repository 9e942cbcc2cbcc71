/** Reads `.env` and the environment: the only file that does. What can be set stands in config-table.ts. */
import { existsSync, readFileSync } from 'node:fs';
// By its default export: an older Node has no such name to import, and is to read src/node-version.js first.
import http from 'node:http';
import { parseEnv } from 'node:util';
import { z } from 'zod';
import { shapeConfig, shapeDiscord } from './config-shape.ts';
import { DISCORD_SETTINGS, SETTINGS } from './config-table.ts';
import { metaOf } from './config-types.ts';
import { nearest } from './core/nearest.ts';

/** What is set, by the names of the variables. */
type Given = Readonly<Record<string, string>>;

/** What is wrong with one variable and what to do about it. */
interface Fault {
  readonly variable: string;
  readonly remedy: string;
}

/** Everything an operator can set, validated and frozen. */
export type Config = Readonly<ReturnType<typeof shapeConfig>> & {
  /** What is probably not as it was meant, though the service can run; one sentence each. */
  readonly warnings: readonly string[];
};

/** Thrown with all faults at once; holds no value of any variable. */
export class ConfigError extends Error {
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(faults.map(({ variable, remedy }) => `${variable}: ${remedy}`).join('\n'));
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

/** Node has read these before it runs a line of ours. */
const TOO_LATE = ['NODE_EXTRA_CA_CERTS', 'NODE_USE_SYSTEM_CA', 'NODE_COMPILE_CACHE', 'NODE_OPTIONS'];

/**
 * Reads `.env`, where there is one, and the environment, which wins. Proxies named in `.env` are used from here on.
 * @throws {ConfigError} listing every fault found, each with its remedy.
 */
export function loadConfig(): Config {
  const added = loadEnvFile();
  const config = readConfig(process.env, added);
  const late = added.filter((name) => TOO_LATE.includes(name));
  const warnings = late.map((name) => `${name} in .env comes too late for Node: set it in the environment`);
  return Object.freeze({ ...config, warnings: [...config.warnings, ...warnings] });
}

/**
 * Reads what a command needs that only talks to Discord: the other settings may be missing where it runs.
 * @throws {ConfigError}
 */
export function loadDiscordConfig() {
  loadEnvFile();
  const { data, error } = DISCORD_SETTINGS.safeParse(pickGiven(process.env), REMEDIES);
  const discord = data && shapeDiscord(data);
  if (!discord) throw new ConfigError(error ? toFaults(error) : [missing('DISCORD_TOKEN')]);
  return discord;
}

/**
 * Adds what `.env` holds to the environment. Unlike Node's own `process.loadEnvFile` it reads what Windows' editors write:
 * UTF-16, and UTF-8 behind a byte order mark.
 * @returns the names that were added.
 * @throws {ConfigError} when it cannot be read, or names a proxy that Node does not understand.
 */
export function loadEnvFile(): readonly string[] {
  if (!existsSync('.env')) return [];
  const added: string[] = [];
  for (const [name, value] of Object.entries(parseEnv(readText('.env')))) {
    if (process.env[name] !== undefined) continue;
    process.env[name] = value;
    added.push(name);
  }
  // Node has done so already where the environment said so.
  if (process.env['NODE_USE_ENV_PROXY'] === '1' && added.some((name) => /_PROXY$/i.test(name))) useProxies();
  return added;
}

function readText(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    const remedy = 'cannot be read: make it a file that this user can read';
    throw new ConfigError([{ variable: path, remedy }]);
  }
  const mark = bytes.subarray(0, 2).toString('hex');
  const encoding = mark === 'fffe' ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : 'utf-8';
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    if (!text.includes('\0')) return text;
  } catch {
    // Named below.
  }
  throw new ConfigError([{ variable: path, remedy: 'is not UTF-8 text: save it as UTF-8' }]);
}

function useProxies(): void {
  try {
    http.setGlobalProxyFromEnv();
  } catch {
    const remedy = 'must be addresses such as http://proxy.example:3128';
    throw new ConfigError([{ variable: 'HTTPS_PROXY, HTTP_PROXY', remedy }]);
  }
}

/**
 * Reads the configuration; an empty variable counts as left out. `fromFile`: the names that come from `.env`.
 * @throws {ConfigError} listing every fault found, each with its remedy.
 */
export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
  fromFile: readonly string[] = [],
): Config {
  const given = pickGiven(env);
  const { data: values, error } = SETTINGS.safeParse(given, REMEDIES);
  const strangers = findUnknown(given, fromFile);
  const faults = [...(error ? toFaults(error) : []), ...findMissing(given), ...findClashes(given)];
  if (!values || faults.length > 0) throw new ConfigError([...faults, ...strangers]);
  const warnings = strangers.map(({ variable, remedy }) => `${variable} ${remedy}`);
  if (values.DEFAULT_MODEL.notice) warnings.push(values.DEFAULT_MODEL.notice);
  if (values.SLACK_BOT_TOKEN && values.SLACK_ADMINS.length === 0)
    warnings.push(`SLACK_ADMINS ${NO_ADMINS} (in Slack: profile → ⋮ → Copy member ID)`);
  if (values.DISCORD_TOKEN && values.DISCORD_ADMINS.length === 0)
    warnings.push(`DISCORD_ADMINS ${NO_ADMINS} (in Discord: developer mode on, right-click → Copy User ID)`);
  if (values.NODE_USE_ENV_PROXY !== '1' && (values.HTTPS_PROXY ?? given['https_proxy']))
    warnings.push('HTTPS_PROXY is not used: set NODE_USE_ENV_PROXY=1 as well');
  return Object.freeze({ ...shapeConfig(values), warnings });
}

const NO_ADMINS = 'names nobody, so nobody is told when only an admin can help: set it to user ids';

const SHAPE: Readonly<Record<string, z.ZodType>> = SETTINGS.shape;

/** What a person reads about a value, where its type in the table does not say more. */
const REMEDIES: z.core.ParseContext<z.core.$ZodIssue> = {
  error({ path: [variable] = [], input }) {
    const name = String(variable);
    return input === undefined ? missing(name).remedy : `must be ${metaOf(SHAPE[name]).takes}`;
  },
};

function missing(variable: string): Fault {
  return { variable, remedy: `is missing or empty: ${metaOf(SHAPE[variable]).description}` };
}

/** One for each variable, however much is wrong with it. */
function toFaults<T>(error: z.ZodError<T>): Fault[] {
  const messages = Object.entries<readonly string[] | undefined>(z.flattenError(error).fieldErrors);
  return messages.map(([variable, [remedy = ''] = []]) => ({ variable, remedy }));
}

/**
 * Variables that look like ours and are not: misspelt ones, and unknown ones that begin as ours do. A short name resembles
 * ours by chance, unless it stands in our own `.env`.
 */
function findUnknown(given: Given, fromFile: readonly string[]): Fault[] {
  const names = Object.keys(SHAPE);
  return Object.keys(given).flatMap((variable) => {
    // Proxies have names in lower case too, and other protocols' are other programs'.
    if (names.includes(variable) || /_proxy$/i.test(variable)) return [];
    const isLikely = variable.length >= 8 || fromFile.includes(variable);
    const meant = isLikely ? guessSetting(variable.toUpperCase(), names) : null;
    if (meant) return [{ variable, remedy: `is no setting: did you mean ${meant}?` }];
    const isOurs = /^(SLACK|DISCORD|PERPLEXITY|SEARCH|HISTORY|RESEARCH)_/.test(variable);
    return isOurs ? [{ variable, remedy: 'is no setting (docs/settings.md)' }] : [];
  });
}

/** The setting that has all words of the name (`PERPLEXITY_KEY`), else the one spelt most like it. */
function guessSetting(name: string, names: readonly string[]): string | null {
  const words = name.split('_');
  const longer = names.filter((other) => words.every((word) => other.split('_').includes(word)));
  return words.length > 1 && longer.length === 1 ? (longer[0] ?? null) : nearest(name, names);
}

/** Leaves out the empty ones, and the white space around the others. */
function pickGiven(env: Readonly<Record<string, string | undefined>>): Given {
  const trimmed = Object.entries(env).map(([name, value = '']) => [name, value.trim()] as const);
  return Object.fromEntries(trimmed.filter(([, value]) => value !== ''));
}

function findMissing(given: Given): Fault[] {
  const isSet = (variable: string): boolean => given[variable] !== undefined;
  const slack = ['SLACK_BOT_TOKEN', 'SLACK_APP_TOKEN'];
  const discord = ['DISCORD_TOKEN', 'DISCORD_APPLICATION_ID', 'DISCORD_API_URL'];
  const needed = [...(slack.some(isSet) ? slack : []), ...(discord.some(isSet) ? ['DISCORD_TOKEN'] : [])];
  if (needed.length > 0) return needed.filter((variable) => !isSet(variable)).map(missing);
  const remedy =
    'set the tokens of Slack, of Discord, or of both; to try it without accounts: npm run sandbox';
  return [{ variable: 'SLACK_BOT_TOKEN, SLACK_APP_TOKEN, DISCORD_TOKEN', remedy }];
}

/** Slack delivers a command by its name: of two with the same name one would never run. */
function findClashes(given: Given): Fault[] {
  const names = ['SLACK_ASK_COMMAND', 'SLACK_RESEARCH_COMMAND', 'SLACK_JOBS_COMMAND'] as const;
  const commands = names.map((name) => given[name] ?? SETTINGS.shape[name].def.defaultValue);
  return names.flatMap((variable, i) => {
    const first = commands.indexOf(commands[i] ?? '');
    return first === i ? [] : [{ variable, remedy: `is the same as ${names[first]}: choose another name` }];
  });
}
