import {
  type AutocompleteInteraction,
  type ButtonInteraction,
  type ChatInputCommandInteraction,
  type Client,
  Events,
  type Interaction,
  MessageFlags,
  type RepliableInteraction,
} from 'discord.js';
import { sleep } from '../../core/concurrency.ts';
import type { Failure } from '../../core/failures.ts';
import type { Intake, JobChoice, JobsRequest, Log, ResearchCommands } from '../../core/ports.ts';
import { retry } from '../../core/retry.ts';
import type { Question } from '../../core/types.ts';
import { discordMarkdown } from '../../markdown/dialects.ts';
import { fillPages, sourcePages } from '../../markdown/sources.ts';
import { escapeText } from '../../markdown/text.ts';
import { questionFromCommand, questionFromShortcut, readPress, readRequester } from './commands.ts';
import { CODE, failureOf } from './errors.ts';
import type { Tasks } from './events.ts';
import { clipText, restateQuestion } from './render.ts';

export interface InteractionDeps {
  readonly intake: Intake;
  /** Answers `/jobs`; null where research is not offered. */
  readonly research: ResearchCommands | null;
  readonly tasks: Tasks;
  readonly log: Log;
}

/** Discord waits 3 s from its side of the line; a store this slow is met by "thinking…" first. */
const SLOW_AFTER_MS = 1_800;

/** To somebody who has only installed the app for themselves Discord lets through five messages after the first. */
const PANEL = { room: discordMarkdown.softLimit, most: 12 };

const UNAVAILABLE = 'I cannot take questions right now. Please try again in a moment.';
const JOBS_UNAVAILABLE = 'I cannot look at the jobs right now. Please try again in a moment.';
const TAKEN = 'Answering in the thread.';
const UNKNOWN = 'I do not know that any more. Please try /ask.';

/**
 * Takes the commands and buttons of a client to the intake and responds. The response is given after the question is durable, so
 * that what a person sees as taken is taken.
 */
export function attachInteractions(client: Client, deps: InteractionDeps): void {
  client.on(Events.InteractionCreate, (interaction) => {
    const response = respondTo(deps, interaction).catch((error: unknown) => {
      const failure = failureOf(error, 'the response to an interaction');
      // A replay after a restart, or more than 3 s late: the question is durable, and its answer finds a place by itself.
      const isTooLate = failure.code === CODE.unknownInteraction || failure.code === CODE.alreadyAcknowledged;
      deps.log[isTooLate ? 'info' : 'warn']({ err: failure }, 'interaction not responded to');
    });
    deps.tasks.run(response);
  });
}

async function respondTo(deps: InteractionDeps, interaction: Interaction): Promise<void> {
  if (interaction.isAutocomplete()) return suggestJobs(deps, interaction);
  if (interaction.isButton()) return respondToPress(deps, interaction);
  if (interaction.isChatInputCommand()) {
    if (interaction.commandName === 'jobs') return respondToJobs(deps, interaction);
    const question = questionFromCommand(interaction);
    if (question && 'problem' in question) {
      return respond(deps, interaction, [escapeText(discordMarkdown, question.problem)]);
    }
    if (question) return respondToQuestion(deps, interaction, question);
  }
  if (interaction.isMessageContextMenuCommand()) {
    const question = questionFromShortcut(interaction);
    if (question) return respondToQuestion(deps, interaction, question);
  }
  if (interaction.isRepliable()) return respond(deps, interaction, [UNKNOWN]);
}

async function respondToPress(deps: InteractionDeps, interaction: ButtonInteraction): Promise<void> {
  const press = readPress(interaction);
  if (!press) return respond(deps, interaction, [UNKNOWN]);
  const refused = { type: 'text', text: UNAVAILABLE } as const;
  const pressed = await deps.intake.press(press).catch((error: unknown) => refuse(deps, error, refused));
  if (pressed === null) return void (await interaction.deferUpdate());
  if (pressed.type === 'text') return respond(deps, interaction, [pressed.text]);
  await respond(deps, interaction, sourcePages(discordMarkdown, pressed.sources, PANEL));
}

async function respondToQuestion(
  deps: InteractionDeps,
  interaction: RepliableInteraction,
  question: Question,
): Promise<void> {
  const accepted = deps.intake
    .accept(question)
    .catch((error: unknown) => refuse(deps, error, 'failed' as const));
  const isShortcut = question.trigger === 'shortcut';
  await deferWhenSlow(interaction, accepted, isShortcut);
  const result = await accepted;
  if (!interaction.deferred) {
    // A replay of what was responded to before.
    if (result === 'duplicate') return;
    // The core tells the asker why, to be seen by them alone.
    if (result === 'busy' || result === 'over-limit')
      return void (await interaction.deferReply({ flags: MessageFlags.Ephemeral }));
  }
  if (result === 'failed') return respond(deps, interaction, [UNAVAILABLE]);
  if (isShortcut) return respond(deps, interaction, [TAKEN]);
  await respond(deps, interaction, [restateQuestion(question.text)], false);
}

function refuse<T>({ log }: InteractionDeps, error: unknown, result: T): T {
  log.error({ err: error }, 'the store does not take questions');
  return result;
}

const ACTIONS: readonly JobsRequest['action'][] = ['list', 'status', 'stop'];

async function respondToJobs(deps: InteractionDeps, interaction: ChatInputCommandInteraction): Promise<void> {
  const text = runJobs(deps, interaction).catch((error: unknown) => {
    deps.log.error({ err: error }, '/jobs failed');
    return JOBS_UNAVAILABLE;
  });
  await deferWhenSlow(interaction, text, true);
  await respond(deps, interaction, splitPages(await text));
}

async function runJobs(
  { research }: InteractionDeps,
  interaction: ChatInputCommandInteraction,
): Promise<string> {
  const { options } = interaction;
  const action = ACTIONS.find((known) => known === options.getSubcommand(false));
  if (!action) return UNKNOWN;
  const job = options.getString('id')?.trim() ?? null;
  return (await research?.run({ ...readRequester(interaction), action, job })) || JOBS_UNAVAILABLE;
}

/** Discord takes at most 25 choices of 1 to 100 characters, within 3 s and without a way to ask for more time. */
const MAX_CHOICES = 25;
const MAX_CHOICE_CHARS = 100;

/** Completes what somebody types with their own jobs; with nothing when that takes too long or fails. @throws what discord.js throws. */
async function suggestJobs(
  { research, log }: InteractionDeps,
  interaction: AutocompleteInteraction,
): Promise<void> {
  const typed = interaction.options.getFocused().trim();
  const none: readonly JobChoice[] = [];
  const choices = research?.choices(readRequester(interaction), typed).catch((error: unknown) => {
    log.warn({ err: error }, 'research jobs could not be offered');
    return none;
  });
  const found = await Promise.race([choices ?? none, sleep(SLOW_AFTER_MS).then(() => none)]);
  await interaction.respond(
    found.slice(0, MAX_CHOICES).map(({ job, label }) => ({
      name: clipText(label, MAX_CHOICE_CHARS).trim() || job,
      value: job,
    })),
  );
}

/** Plain text as messages, split between lines; a line longer than a message is cut. */
function splitPages(text: string): readonly string[] {
  const { softLimit } = discordMarkdown;
  const lines = escapeText(discordMarkdown, text).split('\n');
  const whole = lines.map((line) => clipText(line, softLimit));
  return fillPages(discordMarkdown, whole, '\n', softLimit).map((page) => page.text);
}

/** Says "thinking…" when the work that a response waits for takes longer than Discord does. */
async function deferWhenSlow(
  interaction: RepliableInteraction,
  work: Promise<unknown>,
  isPrivate: boolean,
): Promise<void> {
  const isQuick = await Promise.race([work.then(() => true), sleep(SLOW_AFTER_MS).then(() => false)]);
  if (!isQuick) await interaction.deferReply(isPrivate ? { flags: MessageFlags.Ephemeral } : {});
}

/** An interaction's messages have a rate limit of their own, which is used up within seconds. */
const PATIENCE = { attempts: 4, baseMs: 500, capMs: 2_000, longestWaitMs: 15_000 };

/** Responds with one message, which others follow for the person alone. @throws {Failure} and what discord.js throws. */
async function respond(
  { log }: InteractionDeps,
  interaction: RepliableInteraction,
  [content = '', ...more]: readonly string[],
  isPrivate = true,
): Promise<void> {
  const flags = MessageFlags.SuppressEmbeds;
  const privately = flags | MessageFlags.Ephemeral;
  if (interaction.deferred) await interaction.editReply({ content, flags });
  else await interaction.reply({ content, flags: isPrivate ? privately : flags });
  const policy = {
    ...PATIENCE,
    // After any failure but a refusal for the limit the message may stand there.
    canRetry: ({ kind }: Failure): boolean => kind === 'rate-limited',
    onWait: (_: Failure, waitMs: number): void => log.debug({ waitMs }, 'next page later'),
  };
  const asFailure = (error: unknown): never => {
    throw failureOf(error, 'a follow-up to an interaction');
  };
  for (const page of more) {
    await retry(policy, () => interaction.followUp({ content: page, flags: privately }).catch(asFailure));
  }
}
