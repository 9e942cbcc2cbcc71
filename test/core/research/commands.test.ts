import { describe, expect, test, vi } from 'vitest';
import { Failure } from '../../../src/core/failures.ts';
import type { JobsRequest } from '../../../src/core/ports.ts';
import { createResearchCommands } from '../../../src/core/research/commands.ts';
import { isAdmin, quietLog } from '../fakes.ts';
import { asked, MINUTE, REPORT, setup } from './setup.ts';

async function town() {
  const line = setup({ limits: { perPerson: 50, perWorkspace: 50 } });
  const { researches, clock } = line;
  const desk = createResearchCommands({
    researches,
    log: quietLog,
    isAdmin,
    hasAdmins: () => true,
    now: () => clock.now,
  });
  await line.begin(asked({ id: 'ann 1' }));
  await line.begin(asked({ id: 'bob 1', asker: { id: 'U2', name: 'Bob' }, text: 'Secret plans?' }));
  await line.run(1_000);
  const name = (id: string) => line.record(id)!.name;
  const ask = (fields: Partial<JobsRequest>) =>
    desk.run({
      platform: 'slack',
      workspace: 'T1',
      person: { id: 'U1', name: 'Ann' },
      action: 'list',
      job: null,
      ...fields,
    });
  return { line, desk, name, ask };
}

const admin = { id: 'UADMIN', name: 'Root' };

describe('/jobs', () => {
  test('lists own jobs; an admin sees all of the workspace, and no other workspace', async () => {
    const { ask, name } = await town();
    expect(await ask({})).toBe(
      ['Your research jobs, newest first:', `${name('ann 1')} · Queued · “How do cities cool?”`].join('\n'),
    );
    const all = await ask({ person: admin });
    expect(all).toContain(`${name('bob 1')} · Queued · Bob · “Secret plans?”`);
    expect(all).toContain(name('ann 1'));
    expect(await ask({ person: admin, workspace: 'T2' })).toMatch(/^No research jobs/);
    expect(await ask({ person: { id: 'U3', name: null } })).toMatch(/^No research jobs/);
  });

  test('shows nothing of the questions where others may read it', async () => {
    const { ask, name } = await town();
    const open = { isOpen: true } as const;
    expect(await ask({ ...open })).toContain(name('ann 1'));
    expect(await ask({ ...open })).not.toContain('cities');
    const all = await ask({ person: admin, ...open });
    expect(all).toContain(`${name('bob 1')} · Queued · Bob`);
    expect(all).not.toContain('Secret');
    expect(await ask({ person: admin, action: 'status', job: name('bob 1'), ...open })).not.toContain(
      'Secret',
    );
  });

  test('in direct messages on Discord shows own jobs of everywhere, also to an admin', async () => {
    const { ask, name } = await town();
    expect(await ask({ workspace: '@me' })).toContain(name('ann 1'));
    expect(await ask({ workspace: '@me', person: admin })).toMatch(/^No research jobs/);
  });

  test('says what became of a job', async () => {
    const { line, ask, name } = await town();
    line.script.looks.push({ state: 'failed', remedy: 'ask for less' });
    line.board.noticeFaults.push(...Array.from({ length: 6 }, () => new Failure('undeliverable', 'no')));
    await line.run(MINUTE);
    const text = await ask({ action: 'status', job: name('ann 1') });
    expect(text).toMatch(new RegExp(`^⚠ ${name('ann 1')} · Failed after .* · nowhere to deliver it`));
    expect(text).toContain('ask for less');
    expect(text).toContain('Asked 1 min ago, medium effort.');
  });

  test.each([
    (name: string) => name.toLowerCase(),
    (name: string) => name.slice(2),
    (name: string) => ` ${name} `,
  ])('takes a name however it is typed', async (typed) => {
    const { ask, name } = await town();
    expect(await ask({ action: 'status', job: typed(name('ann 1')) })).toContain('Asked');
  });

  test("knows no job of somebody else's", async () => {
    const { ask, name } = await town();
    for (const action of ['status', 'stop'] as const) {
      expect(await ask({ action, job: name('bob 1') })).toMatch(/^I know no job R-\w+ of yours/);
    }
    expect(await ask({ action: 'status', job: 'nonsense that goes on and on' })).toMatch(/^I know no job/);
  });

  test('stops a job and says what that came to', async () => {
    const { line, ask, name } = await town();
    const stopping = ask({ action: 'stop', job: name('ann 1') });
    await vi.waitFor(() => expect(line.record('ann 1')?.state).toBe('stopped'));
    await line.run(1_000);
    expect(await stopping).toBe(
      `⏹ Stopped watching ${name('ann 1')}. It cannot be cancelled upstream, so it may still be billed.`,
    );
    expect(await ask({ action: 'stop', job: name('ann 1') })).toBe(
      `${name('ann 1')} has already been stopped.`,
    );
    expect(line.record('bob 1')?.state).toBe('running');
  });

  test("lets an admin stop anybody's, and says when it has finished already", async () => {
    const { line, ask, name } = await town();
    const stopping = ask({ action: 'stop', job: name('bob 1'), person: admin });
    await vi.waitFor(() => expect(line.record('bob 1')?.state).toBe('stopped'));
    await line.run(1_000);
    expect(await stopping).toContain('By Root.');
    line.script.looks.push({ state: 'done', report: REPORT });
    await line.run(MINUTE);
    expect(await ask({ action: 'stop', job: name('ann 1') })).toBe(`${name('ann 1')} has already finished.`);
  });
});

test.each([
  ['a stranger', 'U3'],
  ["another job's asker", 'U1'],
  ["the other platform's admin", 'DADMIN'],
])('%s cannot stop or see it', async (_who, id) => {
  const { line, ask, name } = await town();
  const person = { id, name: null };
  for (const action of ['stop', 'status'] as const) {
    const text = await ask({ action, job: name('bob 1'), person });
    expect(text).toBe(`I know no job ${name('bob 1')} of yours. List your jobs to see which there are.`);
  }
  expect(line.record('bob 1')?.state).toBe('running');
});

describe('choices while somebody types', () => {
  const who = { platform: 'slack', workspace: 'T1', person: { id: 'U1', name: 'Ann' } } as const;

  test('are own jobs, by name or question', async () => {
    const { desk, name } = await town();
    const own = [{ job: name('ann 1'), label: `${name('ann 1')} · Queued · How do cities cool?` }];
    for (const prefix of ['', name('ann 1').slice(0, 3).toLowerCase(), name('ann 1').slice(2), 'how do']) {
      expect(await desk.choices(who, prefix)).toEqual(own);
    }
    expect(await desk.choices(who, 'secret')).toEqual([]);
  });

  test('are at most 25, each of at most 100 characters', async () => {
    const { line, desk } = await town();
    for (let n = 0; n < 30; n++) await line.begin(asked({ id: `more ${n}`, text: 'long '.repeat(50) }));
    await line.run(1_000);
    const choices = await desk.choices(who, '');
    expect(choices).toHaveLength(25);
    expect(choices.every(({ label }) => label.length <= 100)).toBe(true);
  });
});
