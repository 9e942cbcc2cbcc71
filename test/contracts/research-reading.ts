import { describe, expect, it } from 'vitest';
import { researchName } from '../../src/core/ids.ts';
import type { Ending } from '../../src/core/research/ports.ts';
import { deleteExpired } from '../../src/store/retention.ts';
import { done, type Side, stopped, type Tools } from './researches.ts';

/** What is read of research jobs, how their notices go, and what is forgotten: the other half of `researches.ts`. */
export function readingCases(side: () => Side, tools: Tools): void {
  const { ask, created, running } = tools;
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
    it('hold the newest first, by person, workspace and name', async () => {
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
      expect(await ids({ name: researchName(b) })).toEqual([b]);
      expect(await side().researches.list({ platform, workspace }, 1)).toHaveLength(1);
      const [listed] = await side().researches.list({ platform, workspace, name: researchName(a) }, 1);
      expect(listed?.ending).toMatchObject({ outcome: 'done', report: { text: '' } });
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

  it('research jobs are forgotten after 90 days', async () => {
    const [old, young] = [await created(), await created()];
    const text = "update footnote.research set begun_at = now() - interval '91 days' where id = $1";
    await side().sql.query(text, [old]);
    await deleteExpired(side().sql, new AbortController().signal);
    expect(await side().researches.find(old)).toBeNull();
    expect(await side().researches.find(young)).not.toBeNull();
  });
}
