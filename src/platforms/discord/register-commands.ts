import '../../node-version.js';
import { readFileSync, realpathSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Routes } from 'discord.js';
import { ConfigError, loadDiscordConfig } from '../../config.ts';
import { Failure } from '../../core/failures.ts';
import type { Log } from '../../core/ports.ts';
import { asRecord, asRecords, asText, type JsonObject } from '../../core/untrusted.ts';
import { createRest, type DiscordRest } from './rest.ts';
import { isId } from './snowflakes.ts';

/** What registering came to. */
export interface Registration {
  readonly state: 'unchanged' | 'updated' | 'would-update';
  readonly names: readonly string[];
}

/**
 * Makes Discord's set of commands the manifest's. Writes only on a change: names that are new count towards 200 a day.
 * @param guild registers for one server (at once) instead of everywhere.
 * @throws {Failure}
 */
export async function registerCommands(
  rest: DiscordRest,
  commands: readonly JsonObject[],
  options: { readonly applicationId: string | null; readonly guild: string | null; readonly dryRun: boolean },
): Promise<Registration> {
  const { guild, dryRun } = options;
  const applicationId =
    options.applicationId ?? asText(asRecord(await rest.get(Routes.currentApplication()))?.['id']);
  if (!applicationId) throw new Failure('malformed', 'Discord named no application');
  const route = guild
    ? Routes.applicationGuildCommands(applicationId, guild)
    : Routes.applicationCommands(applicationId);
  const names = commands.map((command) => String(command['name']));
  const registered = asRecords(await rest.get(route));
  if (normalised(registered) === normalised(commands)) return { state: 'unchanged', names };
  if (dryRun) return { state: 'would-update', names };
  await rest.put(route, { body: commands });
  return { state: 'updated', names };
}

/** What the manifest can say; Discord answers with ids, versions and defaults besides. */
function normalised(commands: readonly JsonObject[]): string {
  const plain = commands.map((command) => ({
    type: command['type'] ?? 1,
    name: command['name'],
    description: command['description'] ?? '',
    contexts: sorted(command['contexts']),
    integration_types: sorted(command['integration_types']),
    options: plainOptions(command['options']),
  }));
  return JSON.stringify(plain.map((command) => JSON.stringify(command)).sort((a, b) => a.localeCompare(b)));
}

/** Subcommands have options of their own. */
function plainOptions(options: unknown): readonly JsonObject[] {
  return asRecords(options).map((option) => ({
    type: option['type'],
    name: option['name'],
    description: option['description'],
    required: option['required'] ?? false,
    autocomplete: option['autocomplete'] ?? false,
    max_length: option['max_length'] ?? null,
    choices: asRecords(option['choices']).map(({ name, value }) => ({ name, value })),
    options: plainOptions(option['options']),
  }));
}

function sorted(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String).sort((a, b) => a.localeCompare(b)) : [];
}

/** `npm run register-commands -- [--guild ID] [--dry-run]` */
async function main(args: readonly string[]): Promise<string> {
  const { values } = parseArgs({
    args: [...args],
    options: { guild: { type: 'string' }, 'dry-run': { type: 'boolean', default: false } },
  });
  if (values.guild !== undefined && !isId(values.guild)) throw new UsageError('--guild takes a server id');
  const { token, apiUrl, applicationId } = loadDiscordConfig();
  const rest = createRest({ token, apiUrl, log: SILENT });
  try {
    const options = { applicationId, guild: values.guild ?? null, dryRun: values['dry-run'] };
    const { state, names } = await registerCommands(rest, readManifest(), options);
    const where = values.guild ? `server ${values.guild}` : 'all servers';
    if (state === 'unchanged') return `Unchanged for ${where}: ${names.join(', ')}`;
    return `${state === 'updated' ? 'Registered' : 'Would register'} for ${where}: ${names.join(', ')}`;
  } finally {
    rest.close();
  }
}

class UsageError extends Error {}

function readManifest() {
  const path = new URL('../../../manifests/discord-commands.json', import.meta.url);
  return asRecords(JSON.parse(readFileSync(path, 'utf8')));
}

const quiet = (): void => {};
const SILENT: Log = {
  trace: quiet,
  debug: quiet,
  info: quiet,
  warn: quiet,
  error: quiet,
  child: () => SILENT,
};

function explainFailure(error: unknown): { readonly line: string; readonly exitCode: number } {
  if (error instanceof ConfigError) return { line: error.message, exitCode: 78 };
  if (error instanceof Failure) {
    const isToken = error.kind === 'not-authorised';
    const cure = isToken
      ? 'DISCORD_TOKEN: Discord refuses it; copy a new one from the developer portal'
      : error.message;
    return { line: error.remedy ?? cure, exitCode: isToken || error.kind === 'rejected' ? 78 : 69 };
  }
  return { line: error instanceof Error ? error.message : String(error), exitCode: 64 };
}

if (realpathSync(process.argv[1] ?? '') === import.meta.filename) {
  try {
    process.stdout.write(`${await main(process.argv.slice(2))}\n`);
  } catch (error) {
    const { line, exitCode } = explainFailure(error);
    process.stderr.write(`footnote: ${line}\n`);
    process.exitCode = exitCode;
  }
}
