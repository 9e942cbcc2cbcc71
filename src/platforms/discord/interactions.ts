import {
  type ButtonInteraction,
  type ChatInputCommandInteraction,
  type Client,
  type CommandInteraction,
  Events,
  type Interaction,
  type InteractionReplyOptions,
  MessageFlags,
  type RepliableInteraction,
} from 'discord.js';
import { sleep } from '../../core/concurrency.ts';
import type { Failure } from '../../core/failures.ts';
import type { Intake } from '../../core/ports.ts';
import { retry } from '../../core/retry.ts';
import type { Question } from '../../core/types.ts';
import { discordMarkdown } from '../../markdown/dialects.ts';
import { sourcePages } from '../../markdown/sources.ts';
import { escapeText } from '../../markdown/text.ts';
import { questionFromCommand, questionFromShortcut, readPress } from './commands.ts';
import { CODE, failureOf } from './errors.ts';
import type { Tasks } from './events.ts';
import { type JobsDeps, respondToJobs, suggestJobs } from './jobs-command.ts';
import { restateQuestion } from './render.ts';

export interface InteractionDeps extends JobsDeps {
  readonly intake: Intake;
  readonly tasks: Tasks;
}

/** Discord waits 3 s from its side of the line; a store this slow is met by "thinking…" first. */
export const SLOW_AFTER_MS = 1_800;

/** To somebody who has only installed the app for themselves Discord lets through five messages after the first. */
const PANEL = { room: discordMarkdown.softLimit, most: 12 };

const UNAVAILABLE = 'I cannot take questions right now. Please try again in a moment.';
const TAKEN = 'Answering in the thread.';
export const UNKNOWN = 'I do not know that any more. Please try /ask.';

/** Takes the commands and buttons of a client to the intake. */
export function attachInteractions(client: Client, deps: InteractionDeps): void {
  client.on(Events.InteractionCreate, (interaction) => deps.tasks.run(respond(deps, interaction)));
}

/**
 * Takes a command or button to the intake and responds. The response is given after the question is durable, so that what a
 * person sees as taken is taken. Never rejects.
 */
async function respond(deps: InteractionDeps, interaction: Interaction): Promise<void> {
  try {
    await respondTo(deps, interaction);
  } catch (error) {
    const failure = failureOf(error, 'the response to an interaction');
    // A replay after a restart, or more than 3 s late: the question is durable, and its answer finds a place by itself.
    const isTooLate = failure.code === CODE.unknownInteraction || failure.code === CODE.alreadyAcknowledged;
    deps.log[isTooLate ? 'info' : 'warn']({ err: failure }, 'interaction not responded to');
  }
}

async function respondTo(deps: InteractionDeps, interaction: Interaction): Promise<void> {
  if (interaction.isAutocomplete()) return suggestJobs(deps, interaction);
  if (interaction.isButton()) return respondToPress(deps, interaction);
  if (interaction.isChatInputCommand()) return respondToCommand(deps, interaction);
  const question = interaction.isMessageContextMenuCommand() ? questionFromShortcut(interaction) : null;
  if (question && interaction.isCommand()) return respondToQuestion(deps, interaction, question);
  if (interaction.isRepliable()) await interaction.reply(privately(UNKNOWN));
}

async function respondToCommand(
  deps: InteractionDeps,
  interaction: ChatInputCommandInteraction,
): Promise<void> {
  if (interaction.commandName === 'jobs') return respondToJobs(deps, interaction);
  const question = questionFromCommand(interaction);
  if (!question) await interaction.reply(privately(UNKNOWN));
  else if ('problem' in question) {
    await interaction.reply(privately(escapeText(discordMarkdown, question.problem)));
  } else await respondToQuestion(deps, interaction, question);
}

async function respondToPress(deps: InteractionDeps, interaction: ButtonInteraction): Promise<void> {
  const press = readPress(interaction);
  if (!press) return void (await interaction.reply(privately(UNKNOWN)));
  const pressed = await deps.intake
    .press(press)
    .catch((error: unknown) => ({ type: 'text', text: refuse(deps, error) }) as const);
  if (pressed === null) return void (await interaction.deferUpdate());
  if (pressed.type === 'text') return void (await interaction.reply(privately(pressed.text)));
  const [first = '', ...more] = sourcePages(discordMarkdown, pressed.sources, PANEL);
  await interaction.reply(privately(first));
  await followUp(deps, interaction, more);
}

async function respondToQuestion(
  deps: InteractionDeps,
  interaction: CommandInteraction,
  question: Question,
): Promise<void> {
  const accepted = deps.intake.accept(question).catch((error: unknown) => {
    refuse(deps, error);
    return 'failed' as const;
  });
  const isShortcut = question.trigger === 'shortcut';
  const quick = await Promise.race([accepted, sleep(SLOW_AFTER_MS).then(() => 'slow' as const)]);
  if (quick === 'slow') {
    await interaction.deferReply(isShortcut ? { flags: MessageFlags.Ephemeral } : {});
    const isFailed = (await accepted) === 'failed';
    const content = isFailed ? UNAVAILABLE : isShortcut ? TAKEN : restateQuestion(question.text);
    return void (await interaction.editReply({ content, flags: MessageFlags.SuppressEmbeds }));
  }
  // A replay of what was responded to before.
  if (quick === 'duplicate') return;
  if (quick === 'failed') return void (await interaction.reply(privately(UNAVAILABLE)));
  // The core tells the asker why, to be seen by them alone.
  if (quick === 'busy') return void (await interaction.deferReply({ flags: MessageFlags.Ephemeral }));
  if (isShortcut) return void (await interaction.reply(privately(TAKEN)));
  await interaction.reply({ content: restateQuestion(question.text), flags: MessageFlags.SuppressEmbeds });
}

function refuse({ log }: InteractionDeps, error: unknown): string {
  log.error({ err: error }, 'the store does not take questions');
  return UNAVAILABLE;
}

/** A response that its person alone sees. */
export function privately(content: string): InteractionReplyOptions {
  return { content, flags: MessageFlags.SuppressEmbeds | MessageFlags.Ephemeral };
}

/** Says more to the person alone, after the response. @throws {Failure} */
export async function followUp(
  { log }: Pick<InteractionDeps, 'log'>,
  interaction: RepliableInteraction,
  pages: readonly string[],
): Promise<void> {
  const policy = {
    ...PATIENCE,
    // After any failure but a refusal for the limit the message may stand there.
    canRetry: ({ kind }: Failure): boolean => kind === 'rate-limited',
    onWait: (_: Failure, waitMs: number): void => log.debug({ waitMs }, 'next page later'),
  };
  const asFailure = (error: unknown): never => {
    throw failureOf(error, 'a follow-up to an interaction');
  };
  for (const page of pages) {
    await retry(policy, () => interaction.followUp(privately(page)).catch(asFailure));
  }
}

/** An interaction's messages have a rate limit of their own, which is used up within seconds. */
const PATIENCE = { attempts: 4, baseMs: 500, capMs: 2_000, longestWaitMs: 15_000 };
