import './node-version.js';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadDiscordConfig } from './config.ts';
import { asRecords } from './core/untrusted.ts';
import { createLog } from './log.ts';
import { isId } from './platforms/discord/ids.ts';
import { registerCommands } from './platforms/discord/register-commands.ts';
import { createRest } from './platforms/discord/rest.ts';
import { runCommand, UsageError } from './start-faults.ts';

const MANIFEST = new URL('../manifests/discord-commands.json', import.meta.url);

const DONE = { unchanged: 'Unchanged', updated: 'Registered', 'would-update': 'Would register' };

/** `npm run register-commands -- [--guild ID] [--dry-run]` */
async function register(): Promise<string> {
  const { guild, dryRun } = readArgs();
  const { token, apiUrl, applicationId } = loadDiscordConfig();
  const rest = createRest({ token, apiUrl, log: createLog({ level: 'silent', secrets: [] }) });
  try {
    const commands = asRecords(JSON.parse(readFileSync(MANIFEST, 'utf8')));
    const { state, names } = await registerCommands(rest, commands, { applicationId, guild, dryRun });
    return `${DONE[state]} for ${guild ? `server ${guild}` : 'all servers'}: ${names.join(', ')}`;
  } finally {
    rest.close();
  }
}

function readArgs(): { readonly guild: string | null; readonly dryRun: boolean } {
  try {
    const { values } = parseArgs({
      options: { guild: { type: 'string' }, 'dry-run': { type: 'boolean', default: false } },
    });
    if (values.guild === undefined || isId(values.guild))
      return { guild: values.guild ?? null, dryRun: values['dry-run'] };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  throw new UsageError('--guild takes a server id');
}

await runCommand(register);
