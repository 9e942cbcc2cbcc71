import type { Ending, ResearchNote, ResearchRecord } from '../core/research/ports.ts';
import type { Question } from '../core/types.ts';

/** The thread is a column of its own: the card may open it, or it comes with the question. */
type Field = keyof ResearchRecord | 'thread';

/** How a column is read: as it is, as JSON kept as text, or as a time in milliseconds since the epoch. */
type Kind = 'plain' | 'json' | 'time';

/**
 * Where each field of a record is kept in `footnote.research`. Its columns `card_posted_ms`, `card_shown_ms` and `is_late_told`
 * are of earlier versions.
 */
const FIELDS: Readonly<Record<Field, readonly [column: string, kind: Kind]>> = {
  id: ['id', 'plain'],
  name: ['name', 'plain'],
  question: ['question', 'json'],
  state: ['state', 'plain'],
  api: ['api', 'plain'],
  upstream: ['upstream', 'plain'],
  remark: ['remark', 'plain'],
  phase: ['phase', 'plain'],
  begunAt: ['begun_at', 'time'],
  submittedAt: ['submitted_at', 'time'],
  endedAt: ['ended_at', 'time'],
  thread: ['thread', 'json'],
  card: ['card', 'json'],
  isCardGone: ['is_card_gone', 'plain'],
  ending: ['ending', 'json'],
  isCancelled: ['is_cancelled', 'plain'],
  notice: ['notice', 'plain'],
  noticePlace: ['notice_place', 'plain'],
  noticeMessage: ['notice_message', 'json'],
  hasFile: ['has_file', 'plain'],
  isDelivered: ['is_delivered', 'plain'],
};

const NO_REPORT: Ending = { outcome: 'done', report: { text: '', sources: [], usage: null } };

/** Reports are long: a list has their jobs without them. */
const WITHOUT_REPORT = `case when state = 'done' then '${JSON.stringify(NO_REPORT)}' else ending end`;

/** Selects a whole record. */
export const COLUMNS = columnsOf({});
/** Selects a record for a list, with an empty report. */
export const LISTED = columnsOf({ ending: WITHOUT_REPORT });

/** A row as `COLUMNS` or `LISTED` selects it, under the names of the record's fields. */
export type ResearchRow = Readonly<Record<Field, unknown>>;

function columnsOf(expressions: Partial<Record<Field, string>>): string {
  const columns = entriesOf(FIELDS).map(([field, [column, kind]]) => {
    const value = expressions[field] ?? column;
    return `${kind === 'time' ? `(extract(epoch from ${value}) * 1000)::float8` : value} as "${field}"`;
  });
  return columns.join(', ');
}

/** Reads a row into a record. */
export function toRecord(row: ResearchRow): ResearchRecord {
  const fields = entriesOf(row).map(([field, value]) => {
    const isJson = FIELDS[field][1] === 'json' && typeof value === 'string';
    return [field, isJson ? (JSON.parse(value) as unknown) : value];
  });
  // The cast: these columns hold what `researches.ts` wrote.
  const { thread, ...record } = Object.fromEntries(fields) as ResearchRecord & Pick<Question, 'thread'>;
  return { ...record, question: { ...record.question, thread } };
}

/** A note as assignments with the parameters from `$2` on. */
export function toAssignments(note: ResearchNote): {
  assignments: readonly string[];
  values: readonly unknown[];
} {
  const entries = entriesOf<unknown>(note);
  return {
    assignments: entries.map(([field], i) => `${FIELDS[field][0]} = $${i + 2}`),
    values: entries.map(([field, value]) =>
      FIELDS[field][1] === 'json' && value !== null ? JSON.stringify(value) : value,
    ),
  };
}

function entriesOf<T>(fields: Partial<Record<Field, T>>): [Field, T][] {
  // The cast: the callers' objects have fields of a record and no others.
  return Object.entries(fields) as [Field, T][];
}
