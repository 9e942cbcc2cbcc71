import { Failure } from '../core/failures.ts';
import type { Admit, Log } from '../core/ports.ts';
import type { ApiChoice } from './api-choice.ts';
import { type Clients, requestJson } from './client.ts';
import type { Timeouts } from './deadline.ts';
import { isRetired } from './errors.ts';

/** Whether Perplexity works for this key, as far as is known: an admin has to act where it does not. */
export interface Account {
  /** Why it refuses to, with the remedy; empty while nothing is known against it. */
  refusals(): readonly string[];
  /**
   * Asks for the list of models: it needs the key and is not billed. A gateway without such a list says nothing by that, and
   * what only a paid request would tell (no credit left, mostly) is told by the first. It counts as a request of the key, and waits
   * for `admit`. Rejects only as that does.
   */
  check(admit: Admit): Promise<void>;
  /** The same call, which takes in how every one of its requests ends. */
  watch<Args extends unknown[], Result>(
    call: (...args: Args) => Promise<Result>,
  ): (...args: Args) => Promise<Result>;
  /** Takes in how a request has ended: with an error, or with null for a good end. */
  learn(error: unknown): void;
}

const TIMEOUTS: Timeouts = { headersMs: 10_000, idleMs: 10_000, totalMs: 20_000 };

export function createAccount({ agent }: Clients, choice: ApiChoice, log: Log): Account {
  let refusals: readonly string[] = [];

  const learn = (error: unknown): void => {
    if (error === null) refusals = [];
    if (!(error instanceof Failure) || error.kind !== 'not-authorised') return;
    // The other API is asked instead.
    if (isRetired(error) && choice.forAnswers() === 'agent') return;
    const { status, code, remedy } = error;
    const refusal = `Perplexity refuses to answer (${status ?? code}): ${remedy ?? 'no reason is known'}`;
    refusals = [refusal];
    log.error({ status, code }, refusal);
  };
  const watch: Account['watch'] =
    (call) =>
    async (...args) => {
      try {
        const result = await call(...args);
        learn(null);
        return result;
      } catch (error) {
        learn(error);
        throw error;
      }
    };
  const list = watch(() => requestJson((options) => agent.models.list(options), TIMEOUTS, NEVER));
  return {
    refusals: () => refusals,
    async check(admit) {
      await admit('agent');
      await list().catch((error: unknown) => logUnknown(error, log));
    },
    watch,
    learn,
  };
}

/** Why the key could not be tried; a refusal has been told already. */
function logUnknown(error: unknown, log: Log): void {
  if (!(error instanceof Failure)) return log.error({ err: error }, 'the Perplexity key cannot be tried');
  const { kind, status, code, message } = error;
  if (kind === 'not-authorised') return;
  const isTold = kind === 'unreachable' || kind === 'too-slow';
  log[isTold ? 'warn' : 'debug']({ status, code }, message);
}

const NEVER = new AbortController().signal;
