import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { researchName } from '../../src/core/ids.ts';
import type { NextJob } from '../../src/core/ports.ts';
import type { Ending, Report, Researches } from '../../src/core/research/ports.ts';
import type { Question } from '../../src/core/types.ts';
import type { StoreJobs } from '../../src/store/jobs.ts';
import type { Sql } from '../../src/store/sql.ts';
import { question, THREAD } from '../core/fakes.ts';
import { readingCases } from './research-reading.ts';

export interface Side {
  readonly researches: Researches;
  readonly jobs: StoreJobs;
  readonly sql: Sql;
}

export interface Another {
  readonly researches: Researches;
  close(): Promise<void>;
}

const ROOMY = { perPerson: 100, perWorkspace: 100 };
const report: Report = {
  text: 'Cool \u0000 streets. \ud800',
  sources: [{ number: 1, url: 'https://a.example/', title: 'A', date: null, snippet: null }],
  usage: { inputTokens: 1, outputTokens: 2, cost: 0.41 },
};
export const done: Ending = { outcome: 'done', report };
export const stopped: Ending = { outcome: 'stopped', reason: 'stopped', by: { id: 'U1', name: 'Ann' } };

/** What the cases are made with, on one side. */
function toolsOf(side: () => Side) {
  let serial = 0;
  const ask = (fields: Partial<Question> = {}): Question =>
    question({
      id: randomUUID(),
      workspace: `T${++serial}`,
      asker: { id: `U${serial}`, name: 'Ann' },
      research: { effort: 'medium', notify: 'here' },
      text: 'How\u0000 do cities cool? \udfff',
      ...fields,
    });
  const created = async (asked: Question = ask()): Promise<string> => {
    await side().researches.create(asked, researchName(asked.id), ROOMY);
    return asked.id;
  };
  const running = async (asked: Question = ask()): Promise<string> => {
    const id = await created(asked);
    await side().researches.submitting(id, 'chat');
    await side().researches.submitted(id, { upstream: `up-${id}` }, []);
    return id;
  };
  const next = (queue = 'researches'): NextJob => {
    const id = randomUUID();
    return { queue, data: {}, options: { id, key: id } };
  };
  const knows = ({ queue, options }: NextJob): Promise<boolean> => side().jobs.knows(queue, options.id);
  return { ask, created, running, next, knows };
}

export type Tools = ReturnType<typeof toolsOf>;

/** `another` is a second connection to the same database: another replica. */
export function researchesContract(side: () => Side, another: () => Promise<Another>): void {
  const tools = toolsOf(side);
  courseCases(side, another, tools);
  readingCases(side, tools);
}

function courseCases(side: () => Side, another: () => Promise<Another>, tools: Tools): void {
  const { ask, created, running, next, knows } = tools;
  describe('research jobs', () => {
    it('begin with the whole question, once', async () => {
      const asked = ask();
      const first = await side().researches.create(asked, 'R-TEST', ROOMY);
      expect(first).toMatchObject({
        type: 'new',
        record: {
          id: asked.id,
          name: 'R-TEST',
          question: asked,
          state: 'begun',
          api: null,
          notice: 'none',
        },
      });
      const record = (await side().researches.find(asked.id))!;
      expect(first).toEqual({ type: 'new', record });
      expect(Math.abs(record.begunAt - Date.now())).toBeLessThan(60_000);
      expect(await side().researches.create(asked, 'R-TEST', ROOMY)).toEqual({ type: 'known', record });
      expect(await side().researches.find('never')).toBeNull();
    });

    it('are refused beyond the limits, naming what is under way; known ones never are', async () => {
      const limits = { perPerson: 2, perWorkspace: 3 };
      const first = ask();
      const again = (fields: Partial<Question> = {}) =>
        ask({ workspace: first.workspace, asker: first.asker, ...fields });
      const second = again();
      for (const asked of [first, second]) await side().researches.create(asked, 'R', limits);
      expect(await side().researches.create(again(), 'R', limits)).toMatchObject({
        type: 'refused',
        by: 'person',
        running: [{ id: second.id }, { id: first.id }],
      });
      expect(await side().researches.create(first, 'R', limits)).toMatchObject({ type: 'known' });
      const other = again({ asker: { id: randomUUID(), name: null } });
      expect(await side().researches.create(other, 'R', limits)).toMatchObject({ type: 'new' });
      const third = again({ asker: { id: randomUUID(), name: null } });
      expect(await side().researches.create(third, 'R', limits)).toMatchObject({
        type: 'refused',
        by: 'workspace',
      });
      await side().researches.end(first.id, stopped, []);
      expect(await side().researches.create(third, 'R', limits)).toMatchObject({ type: 'new' });
    });

    it('keep to the limits when many begin at the same moment, on two replicas', async () => {
      const replica = await another();
      const first = ask();
      const limits = { perPerson: 3, perWorkspace: 100 };
      const all = Array.from({ length: 12 }, (_, n) => {
        const { researches } = n % 2 === 0 ? side() : replica;
        return researches.create(ask({ workspace: first.workspace, asker: first.asker }), 'R', limits);
      });
      const types = (await Promise.all(all)).map(({ type }) => type);
      expect(types.filter((type) => type === 'new')).toHaveLength(3);
      const twins = Array.from({ length: 6 }, (_, n) =>
        (n % 2 === 0 ? side() : replica).researches.create(
          { ...first, asker: { id: 'T', name: null } },
          'R',
          limits,
        ),
      );
      const twinTypes = (await Promise.all(twins)).map(({ type }) => type);
      expect(twinTypes.filter((type) => type === 'new')).toHaveLength(1);
      expect(twinTypes.filter((type) => type === 'known')).toHaveLength(5);
      await replica.close();
    });

    it('are handed in once: of two that try, one may', async () => {
      const replica = await another();
      const id = await created();
      const both = [side().researches.submitting(id, 'chat'), replica.researches.submitting(id, 'chat')];
      expect((await Promise.all(both)).filter(Boolean)).toHaveLength(1);
      expect(await side().researches.find(id)).toMatchObject({ state: 'submitting', api: 'chat' });
      expect(await side().researches.unsubmitted(id)).toBe(true);
      expect(await side().researches.find(id)).toMatchObject({ state: 'begun', api: null });
      expect(await side().researches.submitting(id, 'agent')).toBe(true);
      await replica.close();
    });

    it('remember what upstream calls them, together with the first look', async () => {
      const id = await created();
      await side().researches.submitting(id, 'agent');
      const look = next();
      const upstream = { upstream: 'resp_1', notice: 'Not offered there.' };
      expect(await side().researches.submitted(id, upstream, [look])).toMatchObject({
        state: 'running',
        upstream: 'resp_1',
        remark: 'Not offered there.',
      });
      expect(await knows(look)).toBe(true);
      expect((await side().researches.find(id))?.submittedAt).toBeGreaterThan(0);
    });

    it('remember it when a stop came first, and are not looked at then', async () => {
      const id = await created();
      await side().researches.submitting(id, 'agent');
      await side().researches.end(id, stopped, []);
      const look = next();
      expect(await side().researches.submitted(id, { upstream: 'resp_2' }, [look])).toMatchObject({
        state: 'stopped',
        upstream: 'resp_2',
        api: 'agent',
      });
      expect(await knows(look)).toBe(false);
      expect(await side().researches.unsubmitted(id)).toBe(false);
    });

    it('stopped while nothing was begun upstream, no API has it', async () => {
      const id = await created();
      await side().researches.submitting(id, 'agent');
      await side().researches.end(id, stopped, []);
      expect(await side().researches.unsubmitted(id)).toBe(true);
      expect(await side().researches.find(id)).toMatchObject({ state: 'stopped', api: null });
    });

    it('end once, together with what follows: of a report and a stop one wins', async () => {
      const replica = await another();
      for (let round = 0; round < 5; round++) {
        const id = await running();
        const [first, second] = [next(), next()];
        const both = await Promise.all([
          side().researches.end(id, done, [first]),
          replica.researches.end(id, stopped, [second]),
        ]);
        const winners = both.filter((record) => record !== null);
        expect(winners).toHaveLength(1);
        expect(await side().researches.find(id)).toEqual(winners[0]);
        expect(await Promise.all([knows(first), knows(second)])).toEqual(
          both.map((record) => record !== null),
        );
      }
      await replica.close();
    });

    it('keep the report as it was', async () => {
      const id = await running();
      expect(await side().researches.end(id, done, [])).toMatchObject({
        state: 'done',
        ending: done,
        notice: 'pending',
      });
      const other = await running();
      expect(await side().researches.end(other, stopped, [])).toMatchObject({
        notice: 'none',
        ending: stopped,
      });
      expect(await side().researches.submitting(other, 'chat')).toBe(false);
    });

    it('what follows an end is begun', async () => {
      const id = await running();
      const seen: string[] = [];
      await side().jobs.work('research-ends', 1, async (job) => void seen.push(job.id));
      const step = next('research-ends');
      await side().researches.end(id, done, [step]);
      await vi.waitFor(() => expect(seen).toEqual([step.options.id]), { timeout: 10_000 });
    });

    it('forget on demand what was asked and what was found', async () => {
      const id = await running();
      await side().researches.end(id, done, []);
      await side().researches.forget(id);
      expect(await side().researches.find(id)).toMatchObject({
        question: { id, text: '', quotes: [] },
        ending: { outcome: 'done', report: { text: '', sources: [] } },
        state: 'done',
      });
    });

    it('note how they are shown', async () => {
      const id = await created();
      const card = { platform: 'slack', workspace: 'T1', channel: 'C1', message: '2.0' } as const;
      const note = {
        card,
        isCardGone: true,
        isCancelled: false,
        phase: 'running',
      } as const;
      const thread = { ...THREAD, thread: 'opened' };
      await side().researches.note(id, { ...note, thread });
      expect(await side().researches.find(id)).toMatchObject({ ...note, question: { id, thread } });
      await side().researches.note(id, {});
      await side().researches.note(id, { card: null });
      expect(await side().researches.find(id)).toMatchObject({ ...note, card: null });
    });
  });
}
