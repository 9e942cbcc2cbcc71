/** In-memory implementations of the ports of deep research. */
import type { Jobs, NextJob } from '../../../src/core/ports.ts';
import type { Researches, ResearchFilter, ResearchRecord } from '../../../src/core/research/ports.ts';
import { isLive } from '../../../src/core/research/step.ts';
import type { Question } from '../../../src/core/types.ts';

export interface MemoryResearches extends Researches {
  readonly records: Map<string, ResearchRecord>;
  /** Milliseconds since the epoch; advanced by the test. */
  clock: { now: number };
}

/** What `Researches` promises, in one process; `jobs` gets what a change entails. */
export function memoryResearches(jobs: Jobs, clock = { now: 1_000 }): MemoryResearches {
  const records = new Map<string, ResearchRecord>();
  const change = (id: string, fields: Partial<ResearchRecord>): ResearchRecord | null => {
    const record = records.get(id);
    if (!record) return null;
    const changed = { ...record, ...fields };
    records.set(id, changed);
    return changed;
  };
  const enqueue = async (next: readonly NextJob[]): Promise<void> => {
    for (const { queue, data, options } of next) await jobs.enqueue(queue, data, options);
  };
  const list = (filter: ResearchFilter): ResearchRecord[] =>
    [...records.values()].filter((record) => matches(record, filter)).reverse();
  return {
    records,
    clock,
    async create(question, name, limits) {
      const known = records.get(question.id);
      if (known) return { type: 'known', record: known };
      const { platform, workspace, asker } = question;
      const own = list({ platform, person: asker.id }).filter(isLive);
      if (own.length >= limits.perPerson) return { type: 'refused', by: 'person', running: own };
      const all = list({ platform, workspace }).filter(isLive);
      if (all.length >= limits.perWorkspace) return { type: 'refused', by: 'workspace', running: all };
      const record = fresh(question, name, clock.now);
      records.set(question.id, record);
      return { type: 'new', record };
    },
    find: async (id) => records.get(id) ?? null,
    list: async (filter, most) => list(filter).slice(0, most),
    submitting: async (id, api) =>
      records.get(id)?.state === 'begun' && change(id, { state: 'submitting', api }) !== null,
    async unsubmitted(id) {
      const record = records.get(id);
      if (record?.state === 'submitting') return change(id, { state: 'begun', api: null }) !== null;
      return record?.state === 'stopped' && !record.upstream && change(id, { api: null }) !== null;
    },
    async submitted(id, { upstream, notice = null }, next) {
      if (records.get(id)?.state !== 'submitting') return change(id, { upstream, submittedAt: clock.now });
      await enqueue(next);
      return change(id, { state: 'running', upstream, remark: notice, submittedAt: clock.now });
    },
    async note(id, { thread, ...note }) {
      const question = records.get(id)?.question;
      change(id, { ...note, ...(thread && question && { question: { ...question, thread } }) });
    },
    async end(id, ending, next) {
      const record = records.get(id);
      if (!record || !isLive(record)) return null;
      await enqueue(next);
      const notice = ending.outcome === 'stopped' ? 'none' : 'pending';
      return change(id, { state: ending.outcome, ending, notice, endedAt: clock.now });
    },
    async noticing(id, noticePlace) {
      const notice = records.get(id)?.notice;
      if (notice !== 'pending' && notice !== 'sending') return false;
      return change(id, { notice: 'sending', noticePlace }) !== null;
    },
    async noticed(id, notice, noticeMessage, hasFile) {
      const before = records.get(id)?.notice;
      if (before === 'pending' || before === 'sending') change(id, { notice, noticeMessage, hasFile });
    },
    delivered: async (id) => void change(id, { isDelivered: true }),
    forget: async (id) => void change(id, { question: { ...records.get(id)!.question, text: '' } }),
    async durations(effort, most) {
      return list({})
        .filter((record) => record.state === 'done' && record.question.research?.effort === effort)
        .map((record) => (record.endedAt ?? 0) - record.begunAt)
        .slice(0, most);
    },
  };
}

function matches(record: ResearchRecord, filter: ResearchFilter): boolean {
  const { platform, workspace, asker } = record.question;
  return (
    (filter.platform ?? platform) === platform &&
    (filter.workspace ?? workspace) === workspace &&
    (filter.person ?? asker.id) === asker.id &&
    (filter.name ?? record.name) === record.name
  );
}

/** A record as `create` makes it. */
export function fresh(question: Question, name: string, now: number): ResearchRecord {
  return {
    id: question.id,
    name,
    question,
    state: 'begun',
    api: null,
    upstream: null,
    remark: null,
    phase: null,
    begunAt: now,
    submittedAt: null,
    endedAt: null,
    card: null,
    isCardGone: false,
    ending: null,
    isCancelled: null,
    notice: 'none',
    noticePlace: 0,
    noticeMessage: null,
    hasFile: null,
    isDelivered: false,
  };
}
