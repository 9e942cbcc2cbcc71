import { describe, expect, test, vi } from 'vitest';
import { ANSWER_QUEUE } from '../../../src/core/answering/deps.ts';
import type { ButtonPress } from '../../../src/core/ports.ts';
import { PRIVATE_MESSAGE_QUEUE } from '../../../src/core/private-messages.ts';
import { type Question, threadKey } from '../../../src/core/types.ts';
import { type memoryJobs, question, THREAD } from '../fakes.ts';
import { followUp, setupIntake as setup } from './intake.ts';

describe('intake', () => {
  test('the same question is one job, however often it is delivered', async () => {
    const { intake, jobs } = setup();
    expect(await intake.accept(question())).toBe('accepted');
    expect(await intake.accept(question())).toBe('duplicate');
    expect(jobs.queued).toHaveLength(1);
    expect(jobs.queued[0]).toMatchObject({ queue: ANSWER_QUEUE, key: threadKey(THREAD) });
    const otherProcess = setup('auto', undefined, jobs).intake;
    expect(await otherProcess.accept(question())).toBe('duplicate');
  });

  test('the second delivery of a mention asks nothing of the store', async () => {
    const { intake, jobs } = setup();
    const enqueue = vi.spyOn(jobs, 'enqueue');
    const together = [intake.accept(question()), intake.accept(question())];
    expect(await Promise.all(together)).toEqual(['accepted', 'duplicate']);
    expect(enqueue).toHaveBeenCalledTimes(1);
  });

  test('what could not be stored is taken when it is delivered again', async () => {
    const { intake, jobs } = setup();
    vi.spyOn(jobs, 'enqueue').mockRejectedValueOnce(new Error('the disk is full'));
    await expect(intake.accept(question())).rejects.toThrow('the disk is full');
    expect(await intake.accept(question())).toBe('accepted');
  });

  test('a message in a thread we take no part in is ignored', async () => {
    const { intake, jobs } = setup();
    expect(await intake.accept(followUp('q2'))).toBe('ignored');
    expect(jobs.queued).toHaveLength(0);
  });

  test('a follow-up that arrives together with the mention it follows is taken behind it', async () => {
    const { intake, jobs } = setup();
    const together = [
      intake.accept(question()),
      intake.accept(followUp('q2')),
      intake.accept(followUp('q3')),
    ];
    expect(await Promise.all(together)).toEqual(['accepted', 'accepted', 'accepted']);
    expect(jobs.queued.map((job) => job.id)).toEqual([question().id, 'q2', 'q3']);
  });

  test('a message the store could not take does not keep the next one out', async () => {
    const { intake, jobs } = setup();
    vi.spyOn(jobs, 'enqueue').mockRejectedValueOnce(new Error('the store is away'));
    const together = [intake.accept(question()), intake.accept({ ...followUp('q2'), trigger: 'mention' })];
    expect((await Promise.allSettled(together)).map(({ status }) => status)).toEqual([
      'rejected',
      'fulfilled',
    ]);
    expect(jobs.queued.map((job) => job.id)).toEqual(['q2']);
  });

  test('a waiting question is marked; beyond five the asker is told instead, once', async () => {
    const { intake, jobs, platform } = setup();
    await intake.accept(question());
    for (let n = 2; n <= 6; n++) expect(await intake.accept(followUp(`q${n}`))).toBe('accepted');
    expect(platform.marks).toEqual([true, true, true, true, true]);
    expect(await intake.accept(followUp('q7'))).toBe('busy');
    expect(await intake.accept(followUp('q7'))).toBe('duplicate');
    // Whoever goes on is not told each time.
    expect(await intake.accept(followUp('q9'))).toBe('busy');
    expect(jobs.queued.filter((job) => job.queue === PRIVATE_MESSAGE_QUEUE)).toHaveLength(1);
    // Nor is it answered when there is room.
    jobs.queued.splice(0);
    expect(await intake.accept(followUp('q7'))).toBe('duplicate');
    expect(await intake.accept(followUp('q8'))).toBe('accepted');
  });

  test('the twin of a waiting question is not refused, however many wait', async () => {
    const { intake, jobs } = setup();
    await intake.accept(question());
    for (let n = 2; n <= 6; n++) await intake.accept(followUp(`q${n}`));
    const otherProcess = setup('auto', undefined, jobs).intake;
    expect(await otherProcess.accept({ ...followUp('q6'), trigger: 'mention' })).toBe('duplicate');
    expect(jobs.queued.filter((job) => job.queue === PRIVATE_MESSAGE_QUEUE)).toHaveLength(0);
  });

  test('a reply to one of our messages belongs to its thread', async () => {
    const { intake, jobs, answers } = setup();
    const reply = { platform: 'slack', workspace: 'T1', channel: 'C1', message: '9.0' } as const;
    await answers.begin(question(), 1);
    await answers.posted(question().id, 1, [reply]);
    await answers.conclude(question().id, 1, { ...VIEW });
    const elsewhere = { ...THREAD, thread: '77.0' };
    await intake.accept(question({ id: 'q2', trigger: 'reply', repliesTo: reply, thread: elsewhere }));
    expect(jobs.queued[0]?.key).toBe(threadKey(THREAD));
  });

  describe('buttons', () => {
    const press = (presser: string): ButtonPress => ({
      action: 'retry',
      question: question().id,
      presser: { id: presser, name: null },
      press: 'p1',
      delivery: {},
    });

    test('the asker and admins may retry; a second press changes nothing', async () => {
      const { intake, jobs, answers } = setup();
      await answers.begin(question(), 1);
      expect(await intake.press(press('U1'))).toBeNull();
      expect(await intake.press(press('UADMIN'))).toEqual(said('That is already on its way.'));
      expect(jobs.queued).toHaveLength(1);
    });

    test.each(['retry', 'continue', 'stop'] as const)('others are told who can %s', async (action) => {
      const { intake, answers, jobs } = setup();
      await answers.begin(question(), 1);
      for (const other of ['U2', 'DADMIN'])
        expect(await intake.press({ ...press(other), action })).toEqual(
          said('Only Ann or an admin can do that.'),
        );
      expect(jobs.queued).toEqual([]);
    });

    test('anybody may see all sources', async () => {
      const { intake, answers } = setup();
      const source = { number: 1, url: 'https://a.example/', title: 'A', date: null, snippet: 's' };
      await answers.begin(question(), 1);
      await answers.conclude(question().id, 1, { ...VIEW, sources: [source] });
      expect(await intake.press({ ...press('U2'), action: 'sources' })).toEqual({
        type: 'sources',
        sources: [source],
      });
    });

    test('stop ends what is being written, by its asker only', async () => {
      const { intake, answers, stops } = setup();
      await answers.begin(question(), 1);
      const stopped: unknown[] = [];
      stops.watch(question(), (stop) => stopped.push(stop.by?.id) > 0);
      expect(await intake.press({ ...press('U2'), action: 'stop' })).toMatchObject({ type: 'text' });
      expect(await intake.press({ ...press('U1'), action: 'stop' })).toBeNull();
      expect(stopped).toEqual(['U1']);
    });

    test('an answer no longer known is too old', async () => {
      const { intake } = setup();
      expect(await intake.press(press('U1'))).toEqual(said('This answer is too old for that; ask again.'));
    });
  });
});

const said = (text: string) => ({ type: 'text', text });

const VIEW = {
  state: 'done',
  status: '',
  text: 'x',
  sources: [],
  notices: [],
  footer: null,
  buttons: [],
} as const;

describe('the limit of what waits', () => {
  const ask = (n: number, fields: Partial<Question> = {}): Question => {
    const message = { ...question().message!, message: `${n}.0` };
    return question({ id: `q${n}`, thread: { ...THREAD, thread: `${n}.0` }, message, ...fields });
  };
  const answers = (jobs: ReturnType<typeof memoryJobs>) =>
    jobs.queued.filter(({ queue }) => queue === ANSWER_QUEUE);
  const told = (jobs: ReturnType<typeof memoryJobs>) =>
    jobs.queued.filter(({ queue }) => queue === PRIVATE_MESSAGE_QUEUE).map(({ data }) => data);

  test('lets no rush of one person through, and tells them once', async () => {
    const { intake, jobs } = setup('auto', { perPerson: 3, perWorkspace: 0 });
    const results = await Promise.all(Array.from({ length: 30 }, (_, n) => intake.accept(ask(n))));
    expect(results.filter((result) => result === 'accepted')).toHaveLength(3);
    expect(results.filter((result) => result === 'over-limit')).toHaveLength(27);
    expect(answers(jobs).map(({ id, owner }) => [id, owner])).toEqual(
      [0, 1, 2].map((n) => [`q${n}`, { platform: 'slack', workspace: 'T1', person: 'U1', channel: 'C1' }]),
    );
    const text = expect.stringMatching(/^You have 3 questions waiting here, .* I won't answer this one/);
    expect(told(jobs)).toMatchObject([{ type: 'reply', question: { id: 'q3' }, text }]);
    expect(await intake.accept(ask(1))).toBe('duplicate');
    expect(await intake.accept(ask(40, { asker: { id: 'U2', name: 'Bob' } }))).toBe('accepted');
  });

  test('answers nothing later that it has refused, however often it is delivered', async () => {
    const { intake, jobs } = setup('auto', { perPerson: 1, perWorkspace: 0 });
    await intake.accept(ask(0));
    expect(await intake.accept(ask(1))).toBe('over-limit');
    jobs.queued.splice(0, 1);
    expect(await intake.accept(ask(1))).toBe('duplicate');
    expect(await intake.accept(ask(2))).toBe('accepted');
  });

  test('lets no rush of presses through either', async () => {
    const { intake, jobs, answers: records } = setup('auto', { perPerson: 3, perWorkspace: 0 });
    const asked = Array.from({ length: 20 }, (_, n) => ask(n));
    for (const one of asked) await records.begin(one, 1);
    const press = ({ id, asker }: Question) =>
      intake.press({ action: 'retry', question: id, presser: asker, press: `press ${id}`, delivery: {} });
    await Promise.all(asked.map(press));
    expect(answers(jobs)).toHaveLength(3);
  });

  test('bounds how many messages are taken at once, whoever they are from', async () => {
    const { intake, jobs } = setup('auto', { perPerson: 3, perWorkspace: 0 });
    let open = 0;
    let most = 0;
    const enqueue = jobs.enqueue;
    jobs.enqueue = async (...args) => {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setImmediate(resolve));
      open--;
      return enqueue(...args);
    };
    const questions = Array.from({ length: 200 }, (_, n) => ask(n, { asker: { id: `U${n}`, name: null } }));
    const results = await Promise.all(questions.map((asked) => intake.accept(asked)));
    expect(new Set(results)).toEqual(new Set(['accepted']));
    expect(most).toBe(30);
  });

  test('tells again once nothing of theirs has waited, and ten minutes are over', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 0 });
    const { intake, jobs } = setup('auto', { perPerson: 1, perWorkspace: 0 });
    const fill = async (from: number) => {
      jobs.queued.splice(0, jobs.queued.length, ...jobs.queued.filter(({ queue }) => queue !== ANSWER_QUEUE));
      const results = [];
      for (let n = from; n < from + 3; n++) results.push(await intake.accept(ask(n)));
      expect(results).toEqual(['accepted', 'over-limit', 'over-limit']);
    };
    await fill(0);
    await fill(10);
    expect(told(jobs)).toHaveLength(1);
    vi.setSystemTime(600_000);
    await fill(20);
    expect(told(jobs)).toHaveLength(2);
    vi.useRealTimers();
  });

  test('is told with every command, whose answer its asker alone sees', async () => {
    const { intake, jobs } = setup('auto', { perPerson: 1, perWorkspace: 0 });
    const command = { trigger: 'command', thread: null, message: null } as const;
    for (let n = 0; n < 3; n++) await intake.accept(ask(n, command));
    expect(told(jobs)).toMatchObject([{ question: { id: 'q1' } }, { question: { id: 'q2' } }]);
  });

  test('holds for a workspace together, where it is set', async () => {
    const { intake, jobs } = setup('auto', { perPerson: 0, perWorkspace: 2 });
    const results = [];
    for (let n = 0; n < 3; n++)
      results.push(await intake.accept(ask(n, { asker: { id: `U${n}`, name: null } })));
    expect(results).toEqual(['accepted', 'accepted', 'over-limit']);
    const text = expect.stringContaining('2 questions are waiting in this workspace');
    expect(told(jobs)).toMatchObject([{ question: { id: 'q2' }, text }]);
    expect(await intake.accept(ask(9, { workspace: 'T2' }))).toBe('accepted');
  });

  test('a question that is edited while it waits is asked as edited', async () => {
    const { intake, jobs } = setup();
    await intake.accept(question());
    await intake.revise(question({ text: 'How old is it?' }));
    expect(jobs.queued).toMatchObject([{ data: { question: { text: 'How old is it?' } } }]);
    await intake.revise(question({ id: 'unknown', text: 'Never asked' }));
    expect(jobs.queued).toHaveLength(1);
  });
});
