import { type Client, Events, type Message, type PartialMessage } from 'discord.js';
import { createKeyedQueue, sleep } from '../../core/concurrency.ts';
import { Failure } from '../../core/failures.ts';
import type { Intake, KeyValue, Log } from '../../core/ports.ts';
import { isRetryable, retry } from '../../core/retry.ts';
import type { Question } from '../../core/types.ts';
import { type CatchUpDeps, createCatchUp } from './catch-up.ts';
import { failureOf } from './errors.ts';
import {
  editedQuestion,
  isOverheard,
  questionFromEdit,
  questionFromMessage,
  questionId,
  quoteMessage,
  threadOf,
} from './questions.ts';
import { createDirectChannels, type DirectChannels } from './watermark.ts';

export interface EventDeps extends Pick<CatchUpDeps, 'acquire' | 'log' | 'watermark'> {
  readonly intake: Intake;
  readonly store: KeyValue;
  readonly botId: string;
  readonly tasks: Tasks;
}

/** Until what people say is taken in. */
const PATIENCE = {
  attempts: Number.POSITIVE_INFINITY,
  baseMs: 500,
  capMs: 10_000,
  longestWaitMs: Number.POSITIVE_INFINITY,
};

/** Takes what people say to the intake: what the gateway sends, and what was said while it was not connected. */
export function createMessageEvents(deps: EventDeps) {
  const { intake, watermark, tasks, log, acquire } = deps;
  const stopping = new AbortController();
  const insist = createInsistence(log, stopping.signal);
  const reading = new AbortController();
  const runInOrder = createKeyedQueue();
  const direct = createDirectChannels(deps.store, deps.botId);
  /**
   * Resolves once the question is durable; until then the watermark stays before its message. Messages that ask nothing only
   * move the watermark on. `inLine` runs the task when it is its turn. @throws when the process stops first.
   */
  const accept = async (
    message: Message,
    question: Question | null,
    inLine = (task: () => Promise<void>): Promise<void> => task(),
  ): Promise<void> => {
    const release = watermark.hold(message.id);
    if (question || message.editedTimestamp !== null || isOverheard(message))
      await inLine(() => insist(() => handle(intake, direct, message, question)));
    release();
  };
  const catchUp = createCatchUp({
    watermark,
    conversations: () => insist(direct.list),
    acquire,
    accept: (message) => accept(message, questionFromMessage(message)),
    run: tasks.run,
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
    /** Listens to a client that is not logged in yet. */
    attach(client: Client): void {
      client.on(Events.MessageCreate, (message) => receive(message, questionFromMessage(message)));
      client.on(Events.MessageUpdate, (_, message) => receive(message, questionFromEdit(message)));
      client.on(Events.MessageDelete, withdraw);
      client.on(Events.MessageBulkDelete, (messages) => messages.forEach(withdraw));
      catchUp.attach(client);
    },
    /** Lets what has arrived be stored, for at most 3 s; the rest is read by the next process. */
    async stop(): Promise<void> {
      reading.abort();
      await tasks.drain();
      stopping.abort();
      await watermark.save();
    },
  };
}

/** Returns what tries a task again until it succeeds, and throws when the process stops first. */
function createInsistence(log: Log, signal: AbortSignal) {
  const onWait = ({ cause }: Failure): void =>
    log.error({ err: cause }, 'what people say cannot be taken in yet, trying again');
  return <T>(run: () => Promise<T>): Promise<T> =>
    retry({ ...PATIENCE, signal, onWait }, () =>
      run().catch((cause: unknown) => {
        throw new Failure('unreachable', 'what people say was not taken in', { cause });
      }),
    );
}

async function handle(
  intake: Intake,
  direct: DirectChannels,
  message: Message,
  question: Question | null,
): Promise<void> {
  const edited = editedQuestion(message);
  if (edited) await intake.revise({ ...edited, quotes: await completeQuotes(message, edited) });
  if (question) await acceptQuestion(intake, direct, message, question);
  else if (isOverheard(message)) await intake.overhear(threadOf(message), message.createdTimestamp);
}

async function acceptQuestion(
  intake: Intake,
  direct: DirectChannels,
  message: Message,
  question: Question,
): Promise<void> {
  const quotes = await completeQuotes(message, question);
  // Before it is durable: a direct conversation that is not known could not be caught up with after a crash.
  if (message.guildId === null) await direct.remember(message.channelId);
  await intake.accept({ ...question, quotes });
}

async function completeQuotes(
  message: Message,
  { repliesTo, quotes }: Question,
): Promise<Question['quotes']> {
  return repliesTo !== null && quotes.length === 0 ? fetchQuotes(message) : quotes;
}

/** Fetches what a reply is to. Empty when it cannot be had. @throws {Failure} when another try may bring it. */
async function fetchQuotes(message: Message): Promise<Question['quotes']> {
  try {
    return [quoteMessage(await message.fetchReference())];
  } catch (error) {
    const failure = failureOf(error, 'reading a message that is replied to');
    if (failure.status !== undefined && isRetryable(failure)) throw failure;
    return [];
  }
}

/** Discord sends nothing again that has arrived, and a process that stops may take a while but not for ever. */
const DRAIN_MS = 3_000;

/** What the handling of events has begun, so that a stop can wait for it. */
export function createTasks(log: Log) {
  const running = new Set<Promise<unknown>>();
  return {
    /** Follows a task; its failure is logged. */
    run(task: Promise<unknown>): void {
      const handled = task.catch((error: unknown) => log.error({ err: error }, 'an event was not handled'));
      running.add(handled);
      void handled.then(() => running.delete(handled));
    },
    /** Resolves when all tasks have ended, or after 3 s. */
    async drain(): Promise<void> {
      const waited = new AbortController();
      await Promise.race([Promise.all(running), sleep(DRAIN_MS, waited.signal)]);
      waited.abort();
    },
  };
}

export type Tasks = ReturnType<typeof createTasks>;
