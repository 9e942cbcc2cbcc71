import { Failure } from '../../core/failures.ts';
import type { Intake, Log } from '../../core/ports.ts';
import { retry } from '../../core/retry.ts';
import { sleep } from '../../core/sleep.ts';
import { discordMarkdown } from '../../markdown/dialects.ts';
import { sourcePages } from '../../markdown/sources.ts';
import { CODE } from './errors.ts';
import type { Interaction } from './interactions.ts';
import { EPHEMERAL, NO_MENTIONS, SUPPRESS_EMBEDS } from './messages.ts';
import type { DiscordRest } from './rest.ts';
import { restate } from './root.ts';

export interface RespondingDeps {
  readonly rest: DiscordRest;
  readonly intake: Intake;
  readonly applicationId: string;
  readonly log: Log;
}

/** Callback types (docs: interactions/receiving-and-responding). */
const MESSAGE = 4;
const DEFERRED_MESSAGE = 5;
const DEFERRED_UPDATE = 6;

/** Discord waits 3 s from its side of the line; a store this slow is met by "thinking…" first. */
const SLOW_AFTER_MS = 1_800;

/**
 * Takes a command or button to the intake and responds. The response is given after the question is durable, so that what
 * a person sees as taken is taken. Never rejects.
 */
export async function respond(deps: RespondingDeps, interaction: Interaction): Promise<void> {
  try {
    if (interaction.type === 'unknown') {
      await call(deps, interaction, MESSAGE, alone('I do not know that any more. Please try /ask.'));
    } else if (interaction.type === 'press') {
      await respondToPress(deps, interaction);
    } else {
      await respondToQuestion(deps, interaction);
    }
  } catch (error) {
    deps.log.warn({ err: error }, 'interaction not responded to');
  }
}

async function respondToPress(
  deps: RespondingDeps,
  interaction: Extract<Interaction, { type: 'press' }>,
): Promise<void> {
  const pressed = await deps.intake
    .press(interaction.press)
    .catch((error: unknown) => ({ type: 'text', text: refused(deps, error) }) as const);
  if (pressed === null) return call(deps, interaction, DEFERRED_UPDATE);
  if (pressed.type === 'text') return call(deps, interaction, MESSAGE, alone(pressed.text));
  const [first = '', ...more] = sourcePages(discordMarkdown, pressed.sources, PANEL);
  await call(deps, interaction, MESSAGE, alone(first));
  for (const page of more) await followUp(deps, interaction, page);
}

/** To somebody who has only installed the app for themselves Discord lets through five messages after the first. */
const PANEL = { room: discordMarkdown.softLimit, most: 12 };

/** Only a refusal for the limit is tried again: after any other failure the message may stand there. */
async function followUp(
  { rest, applicationId, log }: RespondingDeps,
  { token }: Interaction,
  content: string,
): Promise<void> {
  let isLimited = false;
  const send = async (): Promise<void> => {
    try {
      await rest.post(`/webhooks/${applicationId}/${token}`, { body: alone(content), auth: false });
    } catch (error) {
      isLimited = error instanceof Failure && error.kind === 'rate-limited';
      throw error;
    }
  };
  const onWait = (_: Failure, waitMs: number): void => log.debug({ waitMs }, 'next page of sources later');
  await retry({ ...PATIENCE, onWait, canRetry: () => isLimited }, send);
}

/** An interaction's messages have a bucket of their own that fills within seconds. */
const PATIENCE = {
  attempts: 4,
  baseMs: 500,
  capMs: 2_000,
  longestWaitMs: 15_000,
  signal: new AbortController().signal,
};

const UNAVAILABLE = 'I cannot take questions right now. Please try again in a moment.';

async function respondToQuestion(
  deps: RespondingDeps,
  interaction: Extract<Interaction, { type: 'ask' }>,
): Promise<void> {
  const { question } = interaction;
  const accepted = deps.intake.accept(question).then(
    (result) => result,
    (error: unknown) => {
      refused(deps, error);
      return 'failed' as const;
    },
  );
  const isShortcut = question.trigger === 'shortcut';
  let quick: Awaited<typeof accepted> | 'slow' = await Promise.race([
    accepted,
    sleep(SLOW_AFTER_MS).then(() => 'slow' as const),
  ]);
  if (quick === 'slow') {
    await call(deps, interaction, DEFERRED_MESSAGE, { flags: isShortcut ? EPHEMERAL : 0 });
    quick = await accepted;
    const content = quick === 'failed' ? UNAVAILABLE : isShortcut ? TAKEN : restate(question.text);
    return edit(deps, interaction, content);
  }
  // A replay of what was responded to before.
  if (quick === 'duplicate') return;
  if (quick === 'failed') return call(deps, interaction, MESSAGE, alone(UNAVAILABLE));
  // The core tells the asker why, to be seen by them alone.
  if (quick === 'busy') return call(deps, interaction, DEFERRED_MESSAGE, { flags: EPHEMERAL });
  if (isShortcut) return call(deps, interaction, MESSAGE, alone(TAKEN));
  await call(deps, interaction, MESSAGE, { content: restate(question.text), ...QUIET });
}

const TAKEN = 'Answering in the thread.';
const QUIET = { flags: SUPPRESS_EMBEDS, allowed_mentions: NO_MENTIONS };

function alone(content: string): object {
  return { content, ...QUIET, flags: SUPPRESS_EMBEDS | EPHEMERAL };
}

function refused({ log }: RespondingDeps, error: unknown): string {
  log.error({ err: error }, 'the store does not take questions');
  return UNAVAILABLE;
}

async function call(
  { rest, log }: RespondingDeps,
  { id, token }: Interaction,
  type: number,
  data?: object,
): Promise<void> {
  try {
    const body = { type, ...(data && { data }) };
    await rest.post(`/interactions/${id}/${token}/callback`, { body, auth: false, urgency: 'final' });
  } catch (error) {
    const isTooLate =
      error instanceof Failure &&
      (error.code === CODE.unknownInteraction || error.code === CODE.alreadyAcknowledged);
    if (!isTooLate) throw error;
    // A replay after a restart, or more than 3 s late: the question is durable and its answer finds a place by itself.
    log.info({ code: error.code }, 'interaction too old to respond to');
  }
}

async function edit(
  { rest, applicationId }: RespondingDeps,
  { token }: Interaction,
  content: string,
): Promise<void> {
  const body = { content, ...QUIET };
  await rest.patch(`/webhooks/${applicationId}/${token}/messages/@original`, { body, auth: false });
}
