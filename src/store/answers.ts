import type { AnswerRecord, Answers } from '../core/ports.ts';
import { type MessageRef, messageKey, type Question, type ThreadRef, type View } from '../core/types.ts';
import type { Sql } from './sql.ts';

/** The answers on SQL. Each call is one statement; every write but `begin` carries its attempt in the condition. */
export function createAnswers(sql: Sql): Answers {
  return {
    async begin(question, attempt) {
      const [row] = await sql.query<AnswerRow>(BEGIN, [
        question.id,
        attempt,
        JSON.stringify(question),
        question.thread && JSON.stringify(question.thread),
      ]);
      return row ? toRecord(row) : null;
    },
    async posted(questionId, attempt, messages) {
      const keys = messages.map(messageKey);
      return (await sql.query(POSTED, [questionId, attempt, JSON.stringify(messages), keys])).length > 0;
    },
    async opened(questionId, attempt, thread) {
      return (await sql.query(OPENED, [questionId, attempt, JSON.stringify(thread)])).length > 0;
    },
    async conclude(questionId, attempt, conclusion) {
      return (await sql.query(CONCLUDE, [questionId, attempt, JSON.stringify(conclusion)])).length > 0;
    },
    async delivered(questionId, attempt) {
      return (await sql.query(DELIVERED, [questionId, attempt])).length > 0;
    },
    async find(questionId) {
      const [row] = await sql.query<AnswerRow>(FIND, [questionId]);
      return row ? toRecord(row) : null;
    },
    async forget(questionId) {
      await sql.query('delete from footnote.answers where id = $1', [questionId]);
    },
    async threadOf(message) {
      const [row] = await sql.query<{ thread: string | null }>(
        'select thread from footnote.answer_messages where message = $1',
        [messageKey(message)],
      );
      // Written by `begin` or `opened`.
      return row?.thread ? (JSON.parse(row.thread) as ThreadRef) : null;
    },
  };
}

interface AnswerRow {
  readonly attempt: number;
  readonly question: string;
  readonly messages: string;
  readonly thread: string | null;
  readonly conclusion: string | null;
  readonly delivered: boolean;
}

/** The casts: these columns hold what the functions above wrote. */
function toRecord(row: AnswerRow): AnswerRecord {
  return {
    question: JSON.parse(row.question) as Question,
    attempt: row.attempt,
    messages: JSON.parse(row.messages) as readonly MessageRef[],
    thread: row.thread === null ? null : (JSON.parse(row.thread) as ThreadRef),
    conclusion: row.conclusion === null ? null : (JSON.parse(row.conclusion) as View),
    delivered: row.delivered,
  };
}

const COLUMNS = 'attempt, question, messages, thread, conclusion, delivered';

// An equal attempt is the same run of the job: only the queue gives attempts their numbers.
const BEGIN = `
  insert into footnote.answers as a (id, attempt, question, asked_in) values ($1, $2, $3, $4)
  on conflict (id) do update set attempt = excluded.attempt, changed_at = now()
    where a.attempt <= excluded.attempt
  returning ${COLUMNS}`;

const POSTED = `
  with mine as (
    update footnote.answers set messages = $3, changed_at = now()
    where id = $1 and attempt = $2
    returning id, coalesce(thread, asked_in) as thread
  ), indexed as (
    insert into footnote.answer_messages (message, answer, thread)
    select m.key, mine.id, mine.thread from mine, unnest($4::text[]) as m(key)
    on conflict (message) do nothing
  )
  select 1 as ok from mine`;

const OPENED = `
  update footnote.answers set thread = $3, changed_at = now()
  where id = $1 and attempt = $2
  returning 1 as ok`;

const CONCLUDE = `
  update footnote.answers set conclusion = $3, changed_at = now()
  where id = $1 and attempt = $2
  returning 1 as ok`;

// A message may have been recorded while its thread was not.
const DELIVERED = `
  with mine as (
    update footnote.answers set delivered = true, changed_at = now()
    where id = $1 and attempt = $2
    returning id, coalesce(thread, asked_in) as thread
  ), indexed as (
    update footnote.answer_messages m set thread = mine.thread from mine
    where m.answer = mine.id and m.thread is null
  )
  select 1 as ok from mine`;

const FIND = `select ${COLUMNS} from footnote.answers where id = $1`;
