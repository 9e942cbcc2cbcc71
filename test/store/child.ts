/**
 * Another process on the same store, for the tests to kill: `node child.ts <task> <databaseUrl or -> <dataDir>`. Every step
 * is one line of JSON on standard output.
 */

import { idFrom } from '../../src/core/ids.ts';
import { openStore } from '../../src/store/store.ts';
import { quietLog } from '../core/fakes.ts';

process.stdin.resume().once('end', () => process.exit(1));

const [task, url, dataDir] = process.argv.slice(2);
const databaseUrl = url === undefined || url === '-' ? null : url;
const say = (step: object): void => void process.stdout.write(`${JSON.stringify(step)}\n`);

const store = await openStore({ databaseUrl, dataDir: dataDir ?? '', log: quietLog }).catch(
  (error: unknown) => {
    say({ refused: String(error) });
    process.exit(1);
  },
);
say({ ready: true });

if (task === 'enqueue') {
  await store.jobs.work<{ id: string }>('killed', 4, async ({ data }) => say({ ran: data.id }));
  for (let n = 0; ; n++) {
    const id = idFrom('child', String(process.pid), String(n));
    await store.jobs.enqueue('killed', { id }, { id, key: `k${n % 3}` });
    say({ accepted: id });
  }
}
if (task === 'work') {
  await store.jobs.work('taken-over', 2, async ({ id, attempt }) => {
    say({ started: id, attempt });
    await new Promise(() => {});
  });
}
if (task === 'lease') {
  store.holdLease('the only one', {
    log: quietLog,
    acquired: async () => say({ acquired: true }),
    lost: async () => say({ lost: true }),
  });
}
if (task === 'delay') {
  const id = idFrom('delayed');
  await store.jobs.work('delayed', 1, async (job) => say({ ran: job.id }));
  await store.jobs.enqueue('delayed', {}, { id, key: 'k', delayMs: 2_500 });
  say({ accepted: id });
}
