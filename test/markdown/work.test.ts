import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

interface Work {
  readonly short: number;
  readonly long: number;
}

/** What the engine counts takes it long, on a busy machine above all. */
const TIMEOUT_MS = 90_000;

/** Optimised code, and code compiled again after its removal, is not counted in full: without both, every run counts the same. */
const COUNTING = ['--no-opt', '--no-maglev', '--no-lazy-feedback-allocation', '--no-flush-bytecode'];

test('the work for a document grows with its length and no faster, whatever is in it', {
  timeout: TIMEOUT_MS,
}, () => {
  const script = join(import.meta.dirname, 'count-work.ts');
  const printed = execFileSync(process.execPath, [...COUNTING, script], { encoding: 'utf8' });
  const work = JSON.parse(printed) as Readonly<Record<string, Work>>;
  expect(Object.keys(work).length).toBeGreaterThan(10);
  for (const [name, { short, long }] of Object.entries(work)) {
    expect(short, name).toBeGreaterThan(1_000);
    // Six times the length; quadratic work would be 36 times as much.
    expect(long / short, name).toBeLessThan(8);
  }
});
