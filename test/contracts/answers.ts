import { describe, expect, it } from 'vitest';
import type { Answers } from '../../src/core/ports.ts';
import type { MessageRef, Question, ThreadRef, View } from '../../src/core/types.ts';
import { deleteExpired } from '../../src/store/retention.ts';
import type { Sql } from '../../src/store/sql.ts';
import { question } from '../core/fakes.ts';

const thread: ThreadRef = { platform: 'slack', workspace: 'T1', channel: 'C1', thread: '1.0' };
const message = (name: string): MessageRef => ({
  platform: 'slack',
  workspace: 'T1',
  channel: 'C1',
  message: name,
});
const view: View = {
  state: 'done',
  status: '',
  text: 'Tall. \u0000 \ud800',
  sources: [],
  notices: [],
  footer: null,
  buttons: [],
};

export function answersContract(answers: () => Answers, sql: () => Sql): void {
  let serial = 0;
  const ask = (fields: Partial<Question> = {}): Question =>
    question({ id: `question-${++serial}`, thread, text: 'How tall\u0000 is it? \udfff', ...fields });

  describe('answers', () => {
    it('begins with an empty record of the whole question', async () => {
      const asked = ask();
      expect(await answers().begin(asked, 1)).toEqual({
        question: asked,
        attempt: 1,
        messages: [],
        thread: null,
        conclusion: null,
        delivered: false,
      });
    });

    it('hands what was done so far to a later attempt', async () => {
      const asked = ask();
      await answers().begin(asked, 1);
      expect(await answers().posted(asked.id, 1, [message('a'), message('b')])).toBe(true);
      expect(await answers().opened(asked.id, 1, thread)).toBe(true);
      expect(await answers().conclude(asked.id, 1, view)).toBe(true);
      expect(await answers().delivered(asked.id, 1)).toBe(true);
      expect(await answers().begin(asked, 2)).toEqual({
        question: asked,
        attempt: 2,
        messages: [message('a'), message('b')],
        thread,
        conclusion: view,
        delivered: true,
      });
    });

    it('refuses every write of an overtaken attempt', async () => {
      const asked = ask();
      await answers().begin(asked, 1);
      const record = await answers().begin(asked, 2);
      expect(await answers().begin(asked, 1)).toBeNull();
      expect(await answers().posted(asked.id, 1, [message('stale')])).toBe(false);
      expect(await answers().opened(asked.id, 1, thread)).toBe(false);
      expect(await answers().conclude(asked.id, 1, view)).toBe(false);
      expect(await answers().delivered(asked.id, 1)).toBe(false);
      expect(await answers().find(asked.id)).toEqual(record);
      expect(await answers().threadOf(message('stale'))).toBeNull();
    });

    it('lets one of several simultaneous attempts have the last word: the highest', async () => {
      const asked = ask();
      await Promise.all([3, 1, 5, 2, 4].map((attempt) => answers().begin(asked, attempt)));
      expect(await answers().find(asked.id)).toMatchObject({ attempt: 5 });
    });

    it('lets the same attempt begin again', async () => {
      const asked = ask();
      await answers().begin(asked, 1);
      expect(await answers().begin(asked, 1)).toMatchObject({ attempt: 1 });
    });

    it('knows nothing of a question that never began', async () => {
      expect(await answers().find('never')).toBeNull();
      expect(await answers().posted('never', 1, [message('never')])).toBe(false);
      expect(await answers().conclude('never', 1, view)).toBe(false);
      expect(await answers().delivered('never', 1)).toBe(false);
      expect(await answers().threadOf(message('never'))).toBeNull();
    });

    it('finds the thread of each of our messages while the answer is still being written', async () => {
      const asked = ask();
      await answers().begin(asked, 1);
      await answers().posted(asked.id, 1, [message('part 1')]);
      await answers().posted(asked.id, 1, [message('part 1'), message('part 2')]);
      expect(await answers().threadOf(message('part 1'))).toEqual(thread);
      expect(await answers().threadOf(message('part 2'))).toEqual(thread);
    });

    it('takes the thread that was opened when the question had none, also for what was posted before', async () => {
      const asked = ask({ thread: null });
      await answers().begin(asked, 1);
      await answers().posted(asked.id, 1, [message('root')]);
      expect(await answers().threadOf(message('root'))).toBeNull();
      const opened = { ...thread, thread: 'opened' };
      await answers().opened(asked.id, 1, opened);
      await answers().posted(asked.id, 1, [message('root'), message('part of it')]);
      expect(await answers().threadOf(message('part of it'))).toEqual(opened);
      await answers().delivered(asked.id, 1);
      expect(await answers().threadOf(message('root'))).toEqual(opened);
    });

    it('forgets one on demand, but not the thread of its messages', async () => {
      const asked = ask();
      await answers().begin(asked, 1);
      await answers().posted(asked.id, 1, [message(asked.id)]);
      await answers().forget(asked.id);
      expect(await answers().find(asked.id)).toBeNull();
      expect(await answers().threadOf(message(asked.id))).toEqual(thread);
    });

    it('forgets answers after 7 days, but the threads of their messages only after 90', async () => {
      const old = ask();
      const young = ask();
      for (const { id, ...rest } of [old, young]) {
        await answers().begin({ id, ...rest }, 1);
        await answers().posted(id, 1, [message(id)]);
      }
      await sql().query("update footnote.answers set begun_at = now() - interval '8 days' where id = $1", [
        old.id,
      ]);
      await deleteExpired(sql(), new AbortController().signal);
      expect(await answers().find(old.id)).toBeNull();
      expect(await answers().find(young.id)).not.toBeNull();
      expect(await answers().threadOf(message(old.id))).toEqual(thread);

      await sql().query(
        "update footnote.answer_messages set posted_at = now() - interval '91 days' where answer = $1",
        [old.id],
      );
      await deleteExpired(sql(), new AbortController().signal);
      expect(await answers().threadOf(message(old.id))).toBeNull();
      expect(await answers().threadOf(message(young.id))).toEqual(thread);
    });
  });
}
