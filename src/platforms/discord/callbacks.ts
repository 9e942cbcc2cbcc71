import { Failure } from '../../core/failures.ts';
import type { Log } from '../../core/ports.ts';
import { retry } from '../../core/retry.ts';
import { CODE } from './errors.ts';
import type { Interaction } from './interactions.ts';
import { EPHEMERAL, NO_MENTIONS, SUPPRESS_EMBEDS } from './messages.ts';
import type { DiscordRest } from './rest.ts';

export interface CallbackDeps {
  readonly rest: DiscordRest;
  readonly applicationId: string;
  readonly log: Log;
}

/** Callback types (docs: interactions/receiving-and-responding). */
export const CALLBACK = { message: 4, deferred: 5, deferredUpdate: 6, choices: 8 } as const;

/** Discord waits 3 s from its side of the line; a store this slow is met by "thinking…" first. */
export const SLOW_AFTER_MS = 1_800;

/** What every response has beside its content. */
export const QUIET = { flags: SUPPRESS_EMBEDS, allowed_mentions: NO_MENTIONS };

/** A response that its person alone sees. */
export function alone(content: string): object {
  return { content, ...QUIET, flags: SUPPRESS_EMBEDS | EPHEMERAL };
}

/** Gives the one response an interaction gets within 3 s; one that is too late is let go. @throws {Failure} */
export async function call(
  { rest, log }: CallbackDeps,
  { id, token }: Interaction,
  type: (typeof CALLBACK)[keyof typeof CALLBACK],
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

/** Puts the content in place of "thinking…". @throws {Failure} */
export async function fill(
  { rest, applicationId }: CallbackDeps,
  { token }: Interaction,
  content: string,
): Promise<void> {
  const body = { content, ...QUIET };
  await rest.patch(`/webhooks/${applicationId}/${token}/messages/@original`, { body, auth: false });
}

/** Says more to the person alone, behind the response. @throws {Failure} */
export async function sayMore(
  deps: CallbackDeps,
  interaction: Interaction,
  pages: readonly string[],
): Promise<void> {
  for (const page of pages) await followUp(deps, interaction, page);
}

/** Only a refusal for the limit is tried again: after any other failure the message may stand there. */
async function followUp(
  { rest, applicationId, log }: CallbackDeps,
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
  const onWait = (_: Failure, waitMs: number): void => log.debug({ waitMs }, 'next page later');
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
