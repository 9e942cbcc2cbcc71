import { isDeepStrictEqual } from 'node:util';
import { Routes } from 'discord.js';
import { Failure } from '../../core/failures.ts';
import { asRecord, asRecords, asText, type JsonObject } from '../../core/untrusted.ts';
import type { DiscordRest } from './rest.ts';

/**
 * Makes Discord's set of commands the manifest's. Writes only on a change: names that are new count towards 200 a day.
 * @param guild registers for one server (at once) instead of everywhere.
 * @throws {Failure}
 */
export async function registerCommands(
  rest: DiscordRest,
  commands: readonly JsonObject[],
  options: { readonly applicationId: string | null; readonly guild: string | null; readonly dryRun: boolean },
): Promise<{ readonly state: 'unchanged' | 'updated' | 'would-update'; readonly names: readonly string[] }> {
  const { guild, dryRun } = options;
  const applicationId =
    options.applicationId ?? asText(asRecord(await rest.get(Routes.currentApplication()))?.['id']);
  if (!applicationId) throw new Failure('malformed', 'Discord named no application');
  const route = guild
    ? Routes.applicationGuildCommands(applicationId, guild)
    : Routes.applicationCommands(applicationId);
  const names = commands.map((command) => String(command['name']));
  const registered = asRecords(await rest.get(route));
  if (isDeepStrictEqual(normalise(registered), normalise(commands))) return { state: 'unchanged', names };
  if (dryRun) return { state: 'would-update', names };
  await rest.put(route, { body: commands });
  return { state: 'updated', names };
}

/** Commands in the order of their names, which Discord does not keep, with what the manifest can say of each. */
function normalise(commands: readonly JsonObject[]): readonly JsonObject[] {
  return commands.map(pickKnown).toSorted((a, b) => String(a['name']).localeCompare(String(b['name'])));
}

/** What the manifest can say of a command, subcommand or option; Discord answers with ids, versions and defaults besides. */
function pickKnown(described: JsonObject): JsonObject {
  return {
    type: described['type'] ?? 1,
    name: described['name'],
    description: described['description'] ?? '',
    contexts: sorted(described['contexts']),
    integration_types: sorted(described['integration_types']),
    required: described['required'] ?? false,
    autocomplete: described['autocomplete'] ?? false,
    max_length: described['max_length'] ?? null,
    choices: asRecords(described['choices']).map(({ name, value }) => ({ name, value })),
    options: asRecords(described['options']).map(pickKnown),
  };
}

function sorted(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String).toSorted() : [];
}
