import { type Client, Events, type Message, type PartialMessage } from 'discord.js';
import { createKeyedQueue, sleep } from '../../core/concurrency.ts';
import type { Intake, KeyValue, Log } from '../../core/ports.ts';
import { isRetryable } from '../../core/retry.ts';
import type { Question } from '../../core/types.ts';
import { createCatchUp } from './catch-up.ts';
import { failureOf } from './errors.ts';
import { lacksQuote, questionFromEdit, questionFromMessage, questionId, quoteMessage } from './questions.ts';
import { createDirectChannels, type DirectChannels, type ReadMissedDeps } from './read-missed.ts';
import type { Watermark } from './watermark.ts';

export interface EventDeps extends Pick<ReadMissedDeps, 'acquire' | 'log'> {
  readonly intake: Intake;
  readonly store: KeyValue;
  readonly watermark: Watermark;
  readonly botId: string;
  readonly tasks: Tasks;
}

/** What the handling of events has begun, so that a stop can wait for it. */
export interface Tasks {
  /** Follows a task; its failure is logged. */
  run(task: Promise<unknown>): void;
  /** Resolves when all tasks have ended, or after 3 s. */
  drain(): Promise<void>;
}

/** Takes what people say to the intake: what the gateway sends, and what was said while it was not connected. */
export interface MessageEvents {
  /** Listens to a client that is not logged in yet. */
  attach(client: Client): void;
  /** Lets what has arrived be stored, for at most 3 s; the rest is read by the next process. */
  stop(): Promise<void>;
}

const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 10_000;

export function createMessageEvents(deps: EventDeps): MessageEvents {
  const { intake, watermark, tasks, log, acquire } = deps;
  const stopping = new AbortController();
  const reading = new AbortController();
  const runInOrder = createKeyedQueue();
  const direct = createDirectChannels(deps.store, deps.botId);
  const accept = createAcceptor(deps, direct, stopping.signal);
  const catchUp = createCatchUp({
    watermark,
    direct,
    acquire,
    accept: (message) => accept(message, questionFromMessage(message)),
    runInOrder,
    log,
    signal: reading.signal,
  });
  const receive = (message: Message, question: Question | null): void => {
    const known = catchUp.whenKnown(message.guild?.shardId ?? 0);
    const queue = (task: () => Promise<void>): Promise<void> => runInOrder(message.channelId, task);
    tasks.run(accept(message, question, (task) => (known ? known.then(() => queue(task)) : queue(task))));
  };
  const withdraw = (message: Message | PartialMessage): void =>
    tasks.run(intake.withdraw(questionId(message)));

  return {
    attach(client) {
      client.on(Events.MessageCreate, (message) => receive(message, questionFromMessage(message)));
      client.on(Events.MessageUpdate, (_, message) => receive(message, questionFromEdit(message)));
      client.on(Events.MessageDelete, withdraw);
      client.on(Events.MessageBulkDelete, (messages) => {
        for (const message of messages.values()) withdraw(message);
      });
      catchUp.attach(client, (began) => tasks.run(retryUntilStopped(log, stopping.signal, began)));
    },
    async stop() {
      reading.abort();
      await tasks.drain();
      stopping.abort();
      await watermark.save();
    },
  };
}

/**
 * Resolves once the question is durable; until then the watermark stays before its message. Messages that ask nothing only
 * move the watermark on. `inLine` runs the task when it is its turn. @throws when the process stops first.
 */
type Accept = (
  message: Message,
  question: Question | null,
  inLine?: (task: () => Promise<void>) => Promise<void>,
) => Promise<void>;

function createAcceptor(deps: EventDeps, direct: DirectChannels, signal: AbortSignal): Accept {
  const { intake, watermark, log } = deps;
  return async (message, question, inLine = (task) => task()) => {
    const release = watermark.hold(message.id);
    if (question) {
      const store = (): Promise<void> => acceptQuestion(intake, direct, message, question);
      await inLine(() => retryUntilStopped(log, signal, store));
    }
    release();
  };
}

async function acceptQuestion(
  intake: Intake,
  direct: DirectChannels,
  message: Message,
  question: Question,
): Promise<void> {
  const quote = lacksQuote(message, question) ? await fetchQuote(message) : question.quote;
  // Before it is durable: a direct conversation that is not known could not be caught up with after a crash.
  if (message.guildId === null) await direct.remember(message.channelId);
  await intake.accept({ ...question, quote });
}

/** Tries again, with growing pauses, until it succeeds. @throws when the process stops first. */
async function retryUntilStopped(log: Log, signal: AbortSignal, run: () => Promise<void>): Promise<void> {
  for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    try {
      return await run();
    } catch (error) {
      log.error({ err: error, pauseMs }, 'what people say cannot be taken in yet, trying again');
      await sleep(pauseMs, signal);
    }
  }
  throw new Error('stopped before what people say was taken in');
}

/** Fetches what a reply is to. Null when it cannot be had. @throws {Failure} when another try may bring it. */
async function fetchQuote(message: Message): Promise<Question['quote']> {
  try {
    return quoteMessage(await message.fetchReference());
  } catch (error) {
    const failure = failureOf(error, 'reading a message that is replied to');
    if (failure.status !== undefined && isRetryable(failure)) throw failure;
    return null;
  }
}

/** Discord sends nothing again that has arrived, and a process that stops may take a while but not for ever. */
const DRAIN_MS = 3_000;

export function createTasks(log: Log): Tasks {
  const running = new Set<Promise<unknown>>();
  return {
    run(task) {
      const handled = task.catch((error: unknown) => log.error({ err: error }, 'an event was not handled'));
      running.add(handled);
      void handled.then(() => running.delete(handled));
    },
    async drain() {
      const waited = new AbortController();
      await Promise.race([Promise.all(running), sleep(DRAIN_MS, waited.signal)]);
      waited.abort();
    },
  };
}
