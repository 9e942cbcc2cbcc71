import { expect, test } from 'vitest';
import { formatJobsTable, toJobEntry } from '../../../src/core/research/jobs-table.ts';
import type { UpstreamJob } from '../../../src/core/research/ports.ts';
import { fresh } from './fakes.ts';
import { asked, MINUTE, REPORT } from './setup.ts';

const record = (name: string, fields: object) =>
  toJobEntry({ ...fresh(asked({ id: name }), name, 0), api: 'chat', upstream: `up-${name}`, ...fields });

const running = { state: 'running' } as const;
const done = {
  state: 'done',
  ending: { outcome: 'done', report: REPORT },
  endedAt: MINUTE,
  notice: 'sent',
  isDelivered: true,
} as const;
const there = (upstream: string, state: UpstreamJob['state']): UpstreamJob => ({
  upstream,
  state,
  createdAt: 0,
});

/** The cells of each line, by the columns' names. */
function cells(table: string): Record<string, string>[] {
  const [header = '', ...lines] = table.split('\n');
  const names = [...header.matchAll(/\S+(?: \S+)*/g)].map((match) => ({ name: match[0], at: match.index }));
  return lines.map((line) =>
    Object.fromEntries(names.map(({ name, at }, n) => [name, line.slice(at, names[n + 1]?.at).trim()])),
  );
}

test('shows each job and what became of it, and nothing that anybody wrote', () => {
  const failed = {
    state: 'failed',
    ending: { outcome: 'failed', fault: 'empty', remedy: null },
    notice: 'undeliverable',
    isDelivered: true,
  };
  const table = formatJobsTable(
    [record('R-AAAA', running), record('R-BBBB', done), record('R-CCCC', failed)],
    null,
    2 * MINUTE,
  );
  expect(cells(table)).toMatchObject([
    { JOB: 'R-AAAA', STATE: 'running', PLATFORM: 'slack', WORKSPACE: 'T1', AGE: '2 min', DELIVERY: '-' },
    { JOB: 'R-BBBB', STATE: 'done', API: 'chat', 'UPSTREAM ID': 'up-R-BBBB', DELIVERY: 'sent' },
    { JOB: 'R-CCCC', STATE: 'failed: empty', DELIVERY: 'undeliverable' },
  ]);
  expect(table).not.toContain('cities');
  expect(JSON.stringify(record('R-BBBB', done))).not.toContain('Trees');
});

test("marks what upstream's list and ours do not agree on", () => {
  const entries = [
    record('R-AAAA', running),
    record('R-BBBB', running),
    record('R-CCCC', done),
    record('R-DDDD', { ...running, api: 'agent' }),
  ];
  const table = formatJobsTable(entries, [there('up-R-AAAA', 'queued'), there('up-x', 'running')], MINUTE);
  expect(cells(table)).toMatchObject([
    { JOB: 'R-AAAA', UPSTREAM: 'queued' },
    { JOB: 'R-BBBB', UPSTREAM: 'LOST' },
    { JOB: 'R-CCCC', UPSTREAM: 'gone' },
    { JOB: 'R-DDDD', UPSTREAM: '-' },
    { JOB: 'ORPHAN', 'UPSTREAM ID': 'up-x', UPSTREAM: 'running' },
  ]);
});

test('says nothing of jobs older than a full list', () => {
  const entries = Array.from({ length: 200 }, (_, n) =>
    record(`R-${n}`, { ...running, begunAt: 10 * MINUTE }),
  );
  const known = entries.map(({ upstream }) => there(upstream ?? '', 'running'));
  const table = formatJobsTable(entries, [...known, there('older', 'done')], 20 * MINUTE);
  expect(table).not.toContain('ORPHAN');
});

test('of nothing is a word', () => {
  expect(formatJobsTable([], [], 0)).toBe('No research jobs.');
});
