import { type AutocompleteInteraction, type ChatInputCommandInteraction, MessageFlags } from 'discord.js';
import { sleep } from '../../core/concurrency.ts';
import type { JobChoice, JobsRequest, Log, ResearchCommands } from '../../core/ports.ts';
import { discordMarkdown } from '../../markdown/dialects.ts';
import { fillPages } from '../../markdown/sources.ts';
import { escapeText } from '../../markdown/text.ts';
import { readRequester } from './commands.ts';
import { followUp, privately, SLOW_AFTER_MS, UNKNOWN } from './interactions.ts';
import { clipText } from './render.ts';

export interface JobsDeps {
  /** Null where research is not offered. */
  readonly research: ResearchCommands | null;
  readonly log: Log;
}

const UNAVAILABLE = 'I cannot look at the jobs right now. Please try again in a moment.';

const ACTIONS: readonly JobsRequest['action'][] = ['list', 'status', 'stop'];

/** Runs `/jobs` and answers its person alone. @throws what discord.js throws. */
export async function respondToJobs(deps: JobsDeps, interaction: ChatInputCommandInteraction): Promise<void> {
  const text = runJobs(deps, interaction);
  const isQuick = await Promise.race([text.then(() => true), sleep(SLOW_AFTER_MS).then(() => false)]);
  if (!isQuick) await interaction.deferReply({ flags: MessageFlags.Ephemeral });
  const [first = '', ...more] = splitPages(await text);
  if (isQuick) await interaction.reply(privately(first));
  else await interaction.editReply({ content: first, flags: MessageFlags.SuppressEmbeds });
  await followUp(deps, interaction, more);
}

async function runJobs(
  { research, log }: JobsDeps,
  interaction: ChatInputCommandInteraction,
): Promise<string> {
  const { options } = interaction;
  const action = ACTIONS.find((known) => known === options.getSubcommand(false));
  if (!action) return UNKNOWN;
  const job = action === 'list' ? null : (options.getString('id')?.trim() ?? null);
  try {
    return (await research?.run({ ...readRequester(interaction), action, job })) || UNAVAILABLE;
  } catch (error) {
    log.error({ err: error }, '/jobs failed');
    return UNAVAILABLE;
  }
}

/** Discord takes at most 25 choices of 1 to 100 characters, within 3 s and without a way to ask for more time. */
const MAX_CHOICES = 25;
const MAX_CHOICE_CHARS = 100;

/** Completes what somebody types with their own jobs; with nothing when that takes too long or fails. @throws what discord.js throws. */
export async function suggestJobs(deps: JobsDeps, interaction: AutocompleteInteraction): Promise<void> {
  const found = await Promise.race([findChoices(deps, interaction), sleep(SLOW_AFTER_MS).then(() => [])]);
  const choices = found.slice(0, MAX_CHOICES).map(({ job, label }) => ({
    name: clipText(label, MAX_CHOICE_CHARS).trim() || job,
    value: job,
  }));
  await interaction.respond(choices);
}

async function findChoices(
  { research, log }: JobsDeps,
  interaction: AutocompleteInteraction,
): Promise<readonly JobChoice[]> {
  try {
    const typed = interaction.options.getFocused().trim();
    return (await research?.choices(readRequester(interaction), typed)) ?? [];
  } catch (error) {
    log.warn({ err: error }, 'research jobs could not be offered');
    return [];
  }
}

/** Plain text as messages, split between lines; a line longer than a message is cut. */
function splitPages(text: string): readonly string[] {
  const { softLimit } = discordMarkdown;
  const lines = escapeText(discordMarkdown, text).split('\n');
  const whole = lines.map((line) => clipText(line, softLimit));
  return fillPages(discordMarkdown, whole, '\n', softLimit).map((page) => page.text);
}
