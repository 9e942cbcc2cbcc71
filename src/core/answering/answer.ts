import { runInBackground } from '../concurrency.ts';
import { Failure } from '../failures.ts';
import { shortId } from '../ids.ts';
import type { AnswerRecord, Job, Log, Platform } from '../ports.ts';
import type { ThreadRef, Turn } from '../types.ts';
import { concludeAnswer, MAX_ATTEMPTS } from './conclude.ts';
import { conversationOf } from './conversation.ts';
import type { AnsweringDeps, AnswerJob, AnswerRun, Conclusion } from './deps.ts';
import { forgetQuestion } from './forget.ts';
import type { History } from './history.ts';
import { joinOpenedThread } from './join-thread.ts';
import { startLiveReply } from './live-reply.ts';
import { describeNothing } from './messages.ts';
import { createNames, NAMES_PATIENCE_MS } from './names.ts';
import { questionTurn } from './prompt.ts';
import { recallThread } from './recall.ts';
import { mayStop, readStop, StopRequested } from './stop.ts';

/**
 * Answers one question: history → prompt → model → view → reply → history. Every failure becomes a view that the person
 * reads. It throws only when the job must run again (the process stops, the store or the platform cannot be reached); the
 * next attempt then rewrites the same messages.
 */
export async function answerQuestion(deps: AnsweringDeps, job: Job<AnswerJob>): Promise<void> {
  const { question, isMarked } = job.data;
  const log = deps.log.child({
    question: shortId(question.id),
    platform: question.platform,
    attempt: job.attempt,
  });
  const platform = deps.platforms.get(question.platform);
  if (!platform) return log.error({}, 'question of a platform that is not configured');
  if (isMarked) runInBackground(log, 'unmark', platform.markWaiting(question, false));

  const record = await deps.answers.begin(question, job.attempt);
  if (!record || record.delivered) return log.debug({}, 'already answered');
  const nothing = describeNothing(question);
  if (nothing !== null) {
    await platform.replyPrivately(question, nothing);
    await deps.answers.delivered(question.id, job.attempt);
    return;
  }
  const run = startRun(deps, job, platform, record, log);
  try {
    const conclusion = await concludeAnswer(run);
    // What is left waits for the platform alone.
    job.releaseSlot();
    await deliver(run, conclusion);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    await handleFailure(run, error);
  } finally {
    run.stops.end();
    await run.live.abandon();
    await run.reply.close();
  }
  // Deleted before its turn came or while it was written; later, a job of its own does this.
  if (readStop(run.signal)?.reason === 'deleted') await forgetQuestion(deps, question.id);
}

function startRun(
  deps: AnsweringDeps,
  job: Job<AnswerJob>,
  platform: Platform,
  record: AnswerRecord,
  log: Log,
): AnswerRun {
  const { question } = job.data;
  const ending = new AbortController();
  const reply = platform.reply(question, {
    messages: record.messages,
    attempt: job.attempt,
    posted: async (messages) => {
      const isOurs = await deps.answers.posted(question.id, job.attempt, messages);
      if (!isOurs) throw new Failure('stopped', 'overtaken by a later attempt');
    },
    isTaken: async (message) => (await deps.answers.threadOf(message)) !== null,
  });
  let opened: ThreadRef | null = null;
  const open = async (): Promise<ThreadRef> => {
    opened ??= await (question.thread ? reply.open() : joinOpenedThread({ deps, question, record }, reply));
    return opened;
  };
  const lost = (reason: unknown): void => ending.abort(reason);
  const live = startLiveReply({ reply, open, log, signal: job.signal, lost });
  const stops = deps.stops.watch(question, (stop) => {
    const isGranted = !stop.by || mayStop(deps, question, stop.by.id);
    if (isGranted) ending.abort(new StopRequested(stop));
    return isGranted;
  });
  const signal = AbortSignal.any([job.signal, ending.signal]);
  return {
    deps,
    question,
    record,
    heardAt: job.data.heardAt,
    platform,
    names: createNames(platform, question.workspace),
    reply,
    live,
    open,
    log,
    signal,
    jobSignal: job.signal,
    stops,
    startedAt: performance.now(),
  };
}

async function deliver(run: AnswerRun, conclusion: Conclusion): Promise<void> {
  const { deps, question, record, live } = run;
  await live.finish(conclusion.view);
  await rememberExchange(run, conclusion);
  await deps.answers.delivered(question.id, record.attempt);
  const ms = Math.round(performance.now() - run.startedAt);
  // Only a complete answer has a footer. One that ended early may lack the sources its markers mean.
  if (conclusion.view.footer !== null)
    deps.metrics.unresolvedCitations(question.platform, run.reply.unresolved());
  deps.metrics.answered(question.platform, conclusion.outcome, ms);
  run.log.info({ outcome: conclusion.outcome, ms, sources: conclusion.view.sources.length }, 'answered');
}

/**
 * Appends the exchange to the thread's history. An answer without text is left out, because a question without an answer
 * confuses the model; so is a deleted question.
 */
async function rememberExchange(run: AnswerRun, conclusion: Conclusion): Promise<void> {
  const { deps, question, open, platform, names, heardAt, signal } = run;
  const { view, isTrimmed } = conclusion;
  if (view.text === '' || conclusion.outcome === 'deleted') return;
  const answered: Turn = { role: 'assistant', author: null, text: view.text, at: Date.now() };
  const thread = await open();
  const recalled =
    conclusion.recalled ?? (await recallThread({ ...deps, platform }, question, heardAt, signal));
  const said = await recalled.allSaid();
  const asked = await names.complete([...said.turns, questionTurn(question)], NAMES_PATIENCE_MS);
  const trimmed = { isCut: said.isCut, isTold: isTrimmed, isNew: recalled.isNew };
  await appendExchange(run, thread, [...asked, answered], trimmed);
  // Whoever deletes it from now on finds it remembered.
  const ids = said.turns.flatMap(({ id }) => (id === undefined ? [] : [id]));
  for (const id of await deps.stops.deleted(ids)) await deps.history.forget(id);
}

async function appendExchange(
  { deps, question }: AnswerRun,
  thread: ThreadRef,
  turns: readonly Turn[],
  trimmed: Parameters<History['append']>[3],
): Promise<void> {
  const conversation = conversationOf(question);
  if (conversation && conversation !== question.thread) {
    await deps.history.append(conversation, question, turns, trimmed);
    // The thread of its own has only the question and the answer.
    return deps.history.append(thread, question, turns.slice(-2));
  }
  await deps.history.append(thread, question, turns, trimmed);
}

/** Ends an answer that can never be shown; every other failure is left to the next attempt. */
async function handleFailure(run: AnswerRun, failure: Failure): Promise<void> {
  const { deps, question, record, log, jobSignal } = run;
  const isOver = failure.kind === 'gone' || failure.kind === 'undeliverable' || failure.kind === 'rejected';
  if (!isOver || jobSignal.aborted) {
    const isLast = record.attempt >= MAX_ATTEMPTS;
    log[isLast ? 'error' : 'warn']({ err: failure }, 'answer interrupted, to be taken up again');
    throw failure;
  }
  log[failure.kind === 'rejected' ? 'error' : 'warn']({ err: failure }, 'no place to answer');
  if (failure.kind !== 'gone') await tellAsker(run, failure);
  await deps.answers.delivered(question.id, record.attempt);
  deps.metrics.answered(question.platform, failure.kind, Math.round(performance.now() - run.startedAt));
}

async function tellAsker({ platform, question, log }: AnswerRun, failure: Failure): Promise<void> {
  const why = failure.remedy ?? 'I lack the permission to write there.';
  const text = `I can't answer where you asked. ${why} · ${shortId(question.id)}`;
  // A command can be answered privately even where the bot is not a member.
  const isCommand = question.trigger === 'command' || question.trigger === 'shortcut';
  try {
    if (isCommand) await platform.replyPrivately(question, text);
    else await platform.directMessage(question.workspace, question.asker.id, text);
  } catch (error) {
    log.info({ err: error }, 'the asker cannot be told');
  }
}

/** Tells the asker that their job has failed for good: the platform or the store stayed unreachable for too long. */
export async function giveUp(deps: AnsweringDeps, { question }: AnswerJob): Promise<void> {
  const id = shortId(question.id);
  deps.log.error({ question: id, platform: question.platform }, 'answer given up');
  deps.metrics.answered(question.platform, 'given-up', 0);
  const text = `I could not finish answering you here. Please ask again. · ${id}`;
  await deps.platforms.get(question.platform)?.replyPrivately(question, text);
}
