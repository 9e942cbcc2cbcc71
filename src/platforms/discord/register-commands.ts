import '../../node-version.js';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ConfigError, loadDiscordConfig } from '../../config.ts';
import { Failure } from '../../core/failures.ts';
import type { Log } from '../../core/ports.ts';
import { registerCommands } from './commands.ts';
import { createRest } from './rest.ts';
import { asId, asObjects } from './wire.ts';

/** `npm run register-commands -- [--guild ID] [--dry-run]` */
async function main(args: readonly string[]): Promise<string> {
  const { values } = parseArgs({
    args: [...args],
    options: { guild: { type: 'string' }, 'dry-run': { type: 'boolean', default: false } },
  });
  if (values.guild !== undefined && !asId(values.guild)) throw new UsageError('--guild takes a server id');
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
  return asObjects(JSON.parse(readFileSync(path, 'utf8')));
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

try {
  process.stdout.write(`${await main(process.argv.slice(2))}\n`);
} catch (error) {
  const { line, exitCode } = explainFailure(error);
  process.stderr.write(`footnote: ${line}\n`);
  process.exitCode = exitCode;
}
