import { describe, expect, test } from 'vitest';
import { createIntake } from '../../../src/core/answering/accept.ts';
import { ANSWER_QUEUE } from '../../../src/core/answering/deps.ts';
import { createStops } from '../../../src/core/answering/stop.ts';
import type { ButtonPress } from '../../../src/core/ports.ts';
import { createResearchIntake } from '../../../src/core/research/accept.ts';
import { RESEARCH_QUEUE } from '../../../src/core/research/step.ts';
import type { View } from '../../../src/core/types.ts';
import { memoryKeyValue, noMetrics, question, quietLog, THREAD } from '../fakes.ts';
import { asked, MINUTE, setup } from './setup.ts';

function opened() {
  const line = setup();
  const intake = createIntake({
    ...line.deps,
    research: createResearchIntake(line.deps),
    stops: createStops(memoryKeyValue(), quietLog),
    metrics: noMetrics,
    follow: 'auto',
    waiting: { perPerson: 20, perWorkspace: 0 },
    refused: memoryKeyValue(),
  });
  const queued = (queue: string) => line.waiting.filter((job) => job.queue === queue);
  return { line, intake, queued };
}

const VIEW: View = {
  state: 'done',
  status: '',
  text: 'x',
  sources: [],
  notices: [],
  footer: null,
  buttons: [],
};

const press = (action: ButtonPress['action'], fields: Partial<ButtonPress> = {}): ButtonPress => ({
  action,
  question: question().id,
  presser: { id: 'U1', name: 'Ann' },
  press: 'p1',
  delivery: { token: 'of the press' },
  ...fields,
});

describe('research that is asked for', () => {
  test.each([
    asked({ trigger: 'command' }),
    question({ text: 'research: How do cities cool?' }),
    question({ text: '!research How do cities cool?', trigger: 'dm' }),
  ])('goes beside the answers of its thread, once', async (wanted) => {
    const { intake, queued } = opened();
    expect(await intake.accept(wanted)).toBe('accepted');
    expect(await intake.accept({ ...wanted })).toBe('duplicate');
    expect(queued(ANSWER_QUEUE)).toEqual([]);
    expect(queued(RESEARCH_QUEUE)).toMatchObject([
      {
        data: { step: 'submit', question: { text: 'How do cities cool?', research: { effort: 'medium' } } },
        options: { id: wanted.id, key: wanted.id },
      },
    ]);
  });

  test('is not refused where many answers wait, nor does it hold them up', async () => {
    const { intake } = opened();
    for (let n = 0; n < 8; n++)
      await intake.accept(question({ id: `q${n}`, text: 'why?', trigger: 'reply' }));
    const message = { ...question().message!, message: '9.0' };
    expect(await intake.accept(asked({ id: 'r', message }))).toBe('accepted');
  });

  test('in a thread of others is not for us', async () => {
    const { intake, queued } = opened();
    const heard = question({ trigger: 'thread', text: 'research: why?' });
    expect(await intake.accept(heard)).toBe('ignored');
    expect(queued(RESEARCH_QUEUE)).toEqual([]);
  });

  test('by text that came with a command is a question', async () => {
    const { intake, queued } = opened();
    await intake.accept(question({ trigger: 'command', text: 'research: why?' }));
    expect(queued(ANSWER_QUEUE)).toHaveLength(1);
  });
});

describe('words instead of an answer', () => {
  test.each([
    ['!jobs', 'the desk'],
    ['!help', 'Ask me anything'],
    ['!research --effort extreme why', "I don't know --effort extreme"],
    ['!foo', "I don't know !foo"],
  ])('%s is whispered, once', async (text, word) => {
    const { intake, line } = opened();
    expect(await intake.accept(question({ text }))).toBe('accepted');
    expect(await intake.accept(question({ text }))).toBe('duplicate');
    await line.run(1_000);
    expect(line.platform.privateReplies).toEqual([expect.stringContaining(word)]);
  });
});

describe('a button', () => {
  const answered = async () => {
    const town = opened();
    await town.line.answers.begin(question({ overrides: { profile: 'sonar-pro', recency: 'week' } }), 1);
    await town.line.answers.conclude(question().id, 1, VIEW);
    return town;
  };

  test('"Dig deeper" researches what was answered, for whoever presses it', async () => {
    const { intake, queued } = await answered();
    const bob = { id: 'U2', name: 'Bob' };
    expect(await intake.press(press('research', { presser: bob }))).toBeNull();
    expect(await intake.press(press('research'))).toEqual(
      said('That is already being researched, or has been.'),
    );
    expect(queued(RESEARCH_QUEUE)).toMatchObject([
      {
        data: {
          question: {
            asker: bob,
            trigger: 'button',
            thread: THREAD,
            text: question().text,
            overrides: { recency: 'week' },
            research: { effort: 'medium', notify: 'here' },
            delivery: { token: 'of the press' },
          },
        },
      },
    ]);
  });

  test('"Dig deeper" works again after it was refused, and after its job failed', async () => {
    const { intake, line } = await answered();
    for (const id of ['one', 'two']) await line.begin(asked({ id }));
    await line.run(1_000);
    expect(await intake.press(press('research'))).toBeNull();
    await line.run(1_000);
    expect(line.platform.privateReplies).toHaveLength(1);
    line.script.looks.push({ state: 'failed', remedy: null });
    await line.run(MINUTE);
    expect(await intake.press(press('research'))).toBeNull();
    await line.run(MINUTE);
    const jobs = [...line.researches.records.values()];
    expect(jobs.map(({ state }) => state)).toEqual(['failed', 'failed', 'failed']);
    expect(await intake.press(press('research'))).toBeNull();
  });

  test('"Try again" on a failed job starts another; twice is once', async () => {
    const { intake, line } = opened();
    line.script.looks.push({ state: 'failed', remedy: null });
    await line.begin();
    await line.run(MINUTE);
    const twice = await Promise.all([intake.press(press('retry')), intake.press(press('retry'))]);
    expect(twice.filter((pressed) => pressed === null)).toHaveLength(1);
    await line.run(1_000);
    expect(line.researches.records.size).toBe(2);
    expect(await intake.press(press('retry', { presser: { id: 'U9', name: null } }))).toEqual(
      said('Only Ann or an admin can do that.'),
    );
  });

  test('Stop on a card is for its asker and admins, and says when it comes too late', async () => {
    const { intake, line } = opened();
    await line.begin();
    await line.run(1_000);
    expect(await intake.press(press('stop', { presser: { id: 'U2', name: 'Bob' } }))).toEqual(
      said('Only Ann or an admin can do that.'),
    );
    expect(await intake.press(press('stop', { presser: { id: 'UADMIN', name: 'Root' } }))).toBeNull();
    expect(line.record()?.state).toBe('stopped');
    expect(await intake.press(press('stop'))).toEqual(
      said(`${line.record()?.name} has already been stopped.`),
    );
  });
});

describe('a question that is deleted', () => {
  test('ends its job', async () => {
    const { intake, line } = opened();
    await intake.accept(asked());
    await line.run(1_000);
    await intake.withdraw(asked().id);
    await line.run(1_000);
    expect(line.record()).toMatchObject({
      state: 'stopped',
      ending: { reason: 'deleted' },
      isDelivered: true,
    });
    expect(line.board.cards.at(-1)?.notices[0]).toContain('The question was deleted.');
  });

  test('before its job has begun ends it too', async () => {
    const { intake, line } = opened();
    await intake.accept(asked());
    await intake.withdraw(asked().id);
    await line.run(MINUTE);
    expect(line.record()?.state).toBe('stopped');
    expect(line.board.notices).toEqual([]);
  });

  test('that is no research changes no queue', async () => {
    const { intake, queued } = opened();
    await intake.withdraw('unknown');
    expect(queued(RESEARCH_QUEUE)).toEqual([]);
  });
});

const said = (text: string) => ({ type: 'text', text });
