import { sleep } from '../../core/concurrency.ts';
import type { Intake } from '../../core/ports.ts';
import { discordMarkdown } from '../../markdown/dialects.ts';
import { sourcePages } from '../../markdown/sources.ts';
import { escapeText } from '../../markdown/text.ts';
import {
  alone,
  CALLBACK,
  type CallbackDeps,
  call,
  fill,
  QUIET,
  SLOW_AFTER_MS,
  sayMore,
} from './callbacks.ts';
import type { Interaction } from './interactions.ts';
import { EPHEMERAL } from './messages.ts';
import { type JobsDeps, respondToJobs, suggestJobs } from './responding-jobs.ts';
import { restate } from './root.ts';

export interface RespondingDeps extends CallbackDeps, JobsDeps {
  readonly intake: Intake;
}

/**
 * Takes a command or button to the intake and responds. The response is given after the question is durable, so that what
 * a person sees as taken is taken. Never rejects.
 */
export async function respond(deps: RespondingDeps, interaction: Interaction): Promise<void> {
  try {
    await respondTo(deps, interaction);
  } catch (error) {
    deps.log.warn({ err: error }, 'interaction not responded to');
  }
}

function respondTo(deps: RespondingDeps, interaction: Interaction): Promise<void> {
  switch (interaction.type) {
    case 'ask':
      return respondToQuestion(deps, interaction);
    case 'press':
      return respondToPress(deps, interaction);
    case 'jobs':
      return respondToJobs(deps, interaction);
    case 'typing':
      return suggestJobs(deps, interaction);
    case 'wrong':
      return call(
        deps,
        interaction,
        CALLBACK.message,
        alone(escapeText(discordMarkdown, interaction.problem)),
      );
    case 'unknown':
      return call(
        deps,
        interaction,
        CALLBACK.message,
        alone('I do not know that any more. Please try /ask.'),
      );
  }
}

async function respondToPress(
  deps: RespondingDeps,
  interaction: Extract<Interaction, { type: 'press' }>,
): Promise<void> {
  const pressed = await deps.intake
    .press(interaction.press)
    .catch((error: unknown) => ({ type: 'text', text: refused(deps, error) }) as const);
  if (pressed === null) return call(deps, interaction, CALLBACK.deferredUpdate);
  if (pressed.type === 'text') return call(deps, interaction, CALLBACK.message, alone(pressed.text));
  const [first = '', ...more] = sourcePages(discordMarkdown, pressed.sources, PANEL);
  await call(deps, interaction, CALLBACK.message, alone(first));
  await sayMore(deps, interaction, more);
}

/** To somebody who has only installed the app for themselves Discord lets through five messages after the first. */
const PANEL = { room: discordMarkdown.softLimit, most: 12 };

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
    await call(deps, interaction, CALLBACK.deferred, { flags: isShortcut ? EPHEMERAL : 0 });
    quick = await accepted;
    const content = quick === 'failed' ? UNAVAILABLE : isShortcut ? TAKEN : restate(question.text);
    return fill(deps, interaction, content);
  }
  // A replay of what was responded to before.
  if (quick === 'duplicate') return;
  if (quick === 'failed') return call(deps, interaction, CALLBACK.message, alone(UNAVAILABLE));
  // The core tells the asker why, to be seen by them alone.
  if (quick === 'busy') return call(deps, interaction, CALLBACK.deferred, { flags: EPHEMERAL });
  if (isShortcut) return call(deps, interaction, CALLBACK.message, alone(TAKEN));
  await call(deps, interaction, CALLBACK.message, { content: restate(question.text), ...QUIET });
}

const TAKEN = 'Answering in the thread.';

function refused({ log }: RespondingDeps, error: unknown): string {
  log.error({ err: error }, 'the store does not take questions');
  return UNAVAILABLE;
}
