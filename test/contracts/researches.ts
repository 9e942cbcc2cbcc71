import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { researchName } from '../../src/core/ids.ts';
import type { NextJob } from '../../src/core/ports.ts';
import type { Ending, Report } from '../../src/core/research-ports.ts';
import type { Question } from '../../src/core/types.ts';
import type { StoreJobs } from '../../src/store/jobs.ts';
import type { StoreResearches } from '../../src/store/researches.ts';
import type { Sql } from '../../src/store/sql.ts';
import { question, THREAD } from '../core/fakes.ts';

interface Side {
  readonly researches: StoreResearches;
  readonly jobs: StoreJobs;
  readonly sql: Sql;
}

interface Another {
  readonly researches: StoreResearches;
  close(): Promise<void>;
}

const ROOMY = { perPerson: 100, perWorkspace: 100 };
const report: Report = {
  text: 'Cool \u0000 streets. \ud800',
  sources: [{ number: 1, url: 'https://a.example/', title: 'A', date: null, snippet: null }],
  usage: { inputTokens: 1, outputTokens: 2, cost: 0.41 },
};
const done: Ending = { outcome: 'done', report };
const stopped: Ending = { outcome: 'stopped', reason: 'stopped', by: { id: 'U1', name: 'Ann' } };

/** `another` is a second connection to the same database: another replica. */
export function researchesContract(side: () => Side, another: () => Promise<Another>): void {
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
          thread: THREAD,
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
      const other = again({ asker: { id: `other ${serial}`, name: null } });
      expect(await side().researches.create(other, 'R', limits)).toMatchObject({ type: 'new' });
      const third = again({ asker: { id: `third ${serial}`, name: null } });
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

    it('note how they are shown', async () => {
      const id = await created();
      const card = { platform: 'slack', workspace: 'T1', channel: 'C1', message: '2.0' } as const;
      const note = {
        card,
        thread: { ...THREAD, thread: 'opened' },
        cardPostedAt: 1_700_000_000_123,
        cardShownAt: 1_700_000_000_456,
        isCardGone: true,
        isLateTold: true,
        isCancelled: false,
        phase: 'running',
      } as const;
      await side().researches.note(id, note);
      expect(await side().researches.find(id)).toMatchObject(note);
      await side().researches.note(id, {});
      await side().researches.note(id, { card: null });
      expect(await side().researches.find(id)).toMatchObject({ ...note, card: null });
    });
  });

  describe('the notice of a research job', () => {
    it('goes from pending over sending to its outcome, which stays', async () => {
      const id = await running();
      expect(await side().researches.noticing(id, 0)).toBe(false);
      await side().researches.end(id, done, []);
      expect(await side().researches.noticing(id, 0)).toBe(true);
      expect(await side().researches.noticing(id, 1)).toBe(true);
      expect(await side().researches.find(id)).toMatchObject({ notice: 'sending', noticePlace: 1 });
      const message = { platform: 'slack', workspace: 'T1', channel: 'D1', message: '3.0' } as const;
      await side().researches.noticed(id, 'sent', message, true);
      expect(await side().researches.noticing(id, 0)).toBe(false);
      await side().researches.noticed(id, 'undeliverable', null, false);
      expect(await side().researches.find(id)).toMatchObject({
        notice: 'sent',
        noticeMessage: message,
        hasFile: true,
        isDelivered: false,
      });
      await side().researches.delivered(id);
      expect(await side().researches.find(id)).toMatchObject({ isDelivered: true });
    });
  });

  describe('lists of research jobs', () => {
    it('hold the newest first, by person, workspace, name and state', async () => {
      const first = ask();
      const same = { workspace: first.workspace, asker: first.asker };
      const [a, b] = [await running(first), await running(ask(same))];
      const c = await created(ask({ workspace: first.workspace, asker: { id: 'somebody', name: null } }));
      await side().researches.end(a, done, []);
      const { platform, workspace } = first;
      const ids = async (filter: object) =>
        (await side().researches.list({ platform, workspace, ...filter }, 10)).map(({ id }) => id);
      expect(await ids({})).toEqual([c, b, a]);
      expect(await ids({ person: first.asker.id })).toEqual([b, a]);
      expect(await ids({ isLive: true })).toEqual([c, b]);
      expect(await ids({ isLive: false })).toEqual([a]);
      expect(await ids({ name: researchName(b) })).toEqual([b]);
      expect(await side().researches.list({ platform, workspace }, 1)).toHaveLength(1);
      const [listed] = await side().researches.list({ platform, workspace, isLive: false }, 1);
      expect(listed?.ending).toMatchObject({ outcome: 'done', report: { text: '' } });
    });

    it('count what an API is working on', async () => {
      const before = await side().researches.countRunning('agent');
      const id = await created();
      await side().researches.submitting(id, 'agent');
      expect(await side().researches.countRunning('agent')).toBe(before);
      await side().researches.submitted(id, { upstream: 'x' }, []);
      expect(await side().researches.countRunning('agent')).toBe(before + 1);
      await side().researches.end(id, done, []);
      expect(await side().researches.countRunning('agent')).toBe(before);
    });

    it('tell how long the newest finished ones of an effort took', async () => {
      const took = async (minutes: number, ending: Ending): Promise<void> => {
        const id = await running(ask({ research: { effort: 'low', notify: 'here' } }));
        await side().researches.end(id, ending, []);
        const text = `update footnote.research set begun_at = ended_at - $2 * interval '1 minute' where id = $1`;
        await side().sql.query(text, [id, minutes]);
      };
      for (const minutes of [3, 4, 5]) await took(minutes, done);
      await took(60, stopped);
      const durations = await side().researches.durations('low', 2);
      expect(durations.map((ms) => Math.round(ms / 60_000))).toEqual([5, 4]);
    });
  });

  describe('turns at an API', () => {
    it('are a gap apart, however many ask at once, on two replicas', async () => {
      const replica = await another();
      await side().sql.query("delete from footnote.research_turns where api = 'agent'");
      const waits = await Promise.all(
        Array.from({ length: 8 }, (_, n) =>
          (n % 2 === 0 ? side() : replica).researches.turn('agent', 10_000),
        ),
      );
      const sorted = waits.toSorted((a, b) => a - b);
      for (const [n, wait] of sorted.entries()) expect(Math.abs(wait - n * 10_000)).toBeLessThan(3_000);
      await side().sql.query("update footnote.research_turns set next_at = now() - interval '1 hour'");
      expect(await side().researches.turn('agent', 10_000)).toBeLessThan(50);
      await replica.close();
    });
  });

  it('research jobs are forgotten after 90 days', async () => {
    const [old, young] = [await created(), await created()];
    const text = "update footnote.research set begun_at = now() - interval '91 days' where id = $1";
    await side().sql.query(text, [old]);
    await side().researches.sweep(new AbortController().signal);
    expect(await side().researches.find(old)).toBeNull();
    expect(await side().researches.find(young)).not.toBeNull();
  });
}
