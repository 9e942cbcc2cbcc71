import { describe, expect, test } from 'vitest';
import { PRIVATE_MESSAGE_QUEUE } from '../../../src/core/private-messages.ts';
import { question } from '../fakes.ts';
import { followUp, setupIntake as setup } from './intake.ts';

describe('a message without a mention', () => {
  test('auto: follow-ups need no mention until a second human speaks', async () => {
    const { intake } = setup();
    await intake.accept(question());
    expect(await intake.accept(followUp('q2'))).toBe('accepted');
    expect(await intake.accept(followUp('q3', 'U2'))).toBe('ignored');
    expect(await intake.accept(followUp('q4'))).toBe('ignored');
    expect(await intake.accept({ ...followUp('q5'), trigger: 'mention' })).toBe('accepted');
  });

  test('always: everybody is followed; mention: nobody', async () => {
    const always = setup('always').intake;
    await always.accept(question());
    expect(await always.accept(followUp('q2', 'U2'))).toBe('accepted');
    const mention = setup('mention').intake;
    await mention.accept(question());
    expect(await mention.accept(followUp('q2'))).toBe('ignored');
  });

  test('what addresses others in a followed thread is not for us, and its speaker counts', async () => {
    const { intake } = setup();
    await intake.accept(question());
    expect(await intake.accept({ ...followUp('q2'), addressesOthers: true })).toBe('ignored');
    expect(await intake.accept(followUp('q3'))).toBe('accepted');
    expect(await intake.accept({ ...followUp('q4', 'U2'), addressesOthers: true })).toBe('ignored');
    expect(await intake.accept(followUp('q5'))).toBe('ignored');
    expect(await setup('always').intake.accept({ ...followUp('q2'), addressesOthers: true })).toBe('ignored');
  });

  test('a bare thanks is acknowledged and not answered, where we are followed', async () => {
    const { intake, jobs, platform } = setup();
    await intake.accept(question());
    expect(await intake.accept({ ...followUp('q2'), text: 'thanks!' })).toBe('ignored');
    expect(await intake.accept({ ...followUp('q3', 'U2'), text: 'merci' })).toBe('ignored');
    expect(await intake.accept({ ...followUp('q4', 'U2'), text: 'ty', trigger: 'reply' })).toBe('ignored');
    expect(platform.acknowledged).toEqual(['q2', 'q4']);
    expect(jobs.queued).toHaveLength(1);
  });

  test('whoever was followed is told once that a mention is needed now', async () => {
    const { intake, jobs } = setup();
    await intake.accept(question());
    const told = () => jobs.queued.filter(({ queue }) => queue === PRIVATE_MESSAGE_QUEUE);
    await intake.accept(followUp('q2', 'U2'));
    await intake.accept({ ...followUp('q3'), addressesOthers: true });
    await intake.accept({ ...followUp('q4'), text: 'thanks' });
    expect(told()).toEqual([]);
    await intake.accept(followUp('q5'));
    await intake.accept(followUp('q6'));
    await intake.accept(followUp('q7', 'U3'));
    expect(told()).toMatchObject([
      { data: { question: { id: 'q5' }, text: expect.stringContaining('mention me when you mean me') } },
    ]);
  });

  test.each(['mention', 'always'] as const)('nobody is told where FOLLOW is %s', async (follow) => {
    const { intake, jobs } = setup(follow);
    await intake.accept(question());
    await intake.accept(followUp('q2', 'U2'));
    await intake.accept(followUp('q3'));
    expect(jobs.queued.filter(({ queue }) => queue === PRIVATE_MESSAGE_QUEUE)).toEqual([]);
  });
});
