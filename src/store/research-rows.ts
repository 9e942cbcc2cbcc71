import type {
  Ending,
  NotificationState,
  ResearchApi,
  ResearchNote,
  ResearchRecord,
  ResearchState,
} from '../core/research/ports.ts';
import type { MessageRef, Question, ThreadRef } from '../core/types.ts';

/** A row of `footnote.research` as `COLUMNS` selects it. */
export interface ResearchRow {
  readonly id: string;
  readonly name: string;
  readonly question: string;
  readonly state: ResearchState;
  readonly api: ResearchApi | null;
  readonly upstream: string | null;
  readonly remark: string | null;
  readonly phase: 'queued' | 'running' | null;
  readonly begun: number;
  readonly submitted: number | null;
  readonly ended: number | null;
  readonly thread: string | null;
  readonly card: string | null;
  readonly card_posted_ms: number | null;
  readonly card_shown_ms: number | null;
  readonly is_card_gone: boolean;
  readonly is_late_told: boolean;
  readonly ending: string | null;
  readonly is_cancelled: boolean | null;
  readonly notice: NotificationState;
  readonly notice_place: number;
  readonly notice_message: string | null;
  readonly has_file: boolean | null;
  readonly is_delivered: boolean;
}

const ms = (column: string, name: string): string =>
  `(extract(epoch from ${column}) * 1000)::float8 as ${name}`;

export const COLUMNS = [
  'id, name, question, state, api, upstream, remark, phase, thread, card, card_posted_ms, card_shown_ms, is_card_gone',
  'is_late_told, ending, is_cancelled, notice, notice_place, notice_message, has_file, is_delivered',
  ms('begun_at', 'begun'),
  ms('submitted_at', 'submitted'),
  ms('ended_at', 'ended'),
].join(', ');

const NO_REPORT: Ending = { outcome: 'done', report: { text: '', sources: [], usage: null } };

/** The same without the reports, which are long. */
export const LISTED = COLUMNS.replace(
  'ending',
  `case when state = 'done' then '${JSON.stringify(NO_REPORT)}' else ending end as ending`,
);

/** The casts: these columns hold what `researches.ts` wrote. */
export function toRecord(row: ResearchRow): ResearchRecord {
  return {
    id: row.id,
    name: row.name,
    question: JSON.parse(row.question) as Question,
    state: row.state,
    api: row.api,
    upstream: row.upstream,
    remark: row.remark,
    phase: row.phase,
    begunAt: row.begun,
    submittedAt: row.submitted,
    endedAt: row.ended,
    thread: row.thread === null ? null : (JSON.parse(row.thread) as ThreadRef),
    card: row.card === null ? null : (JSON.parse(row.card) as MessageRef),
    cardPostedAt: row.card_posted_ms,
    cardShownAt: row.card_shown_ms,
    isCardGone: row.is_card_gone,
    isLateTold: row.is_late_told,
    ending: row.ending === null ? null : (JSON.parse(row.ending) as Ending),
    isCancelled: row.is_cancelled,
    notice: row.notice,
    noticePlace: row.notice_place,
    noticeMessage: row.notice_message === null ? null : (JSON.parse(row.notice_message) as MessageRef),
    hasFile: row.has_file,
    isDelivered: row.is_delivered,
  };
}

/** The columns of what may be noted; `true` for the ones kept as JSON. */
const NOTED: Readonly<Record<keyof ResearchNote, readonly [column: string, isJson: boolean]>> = {
  phase: ['phase', false],
  thread: ['thread', true],
  card: ['card', true],
  cardPostedAt: ['card_posted_ms', false],
  cardShownAt: ['card_shown_ms', false],
  isCardGone: ['is_card_gone', false],
  isLateTold: ['is_late_told', false],
  isCancelled: ['is_cancelled', false],
};

/** A note as assignments with the parameters from `$2` on. */
export function toNote(note: ResearchNote): { assignments: readonly string[]; values: readonly unknown[] } {
  const entries = Object.entries(note) as [keyof ResearchNote, unknown][];
  return {
    assignments: entries.map(([field], i) => `${NOTED[field][0]} = $${i + 2}`),
    values: entries.map(([field, value]) =>
      NOTED[field][1] && value !== null ? JSON.stringify(value) : value,
    ),
  };
}
