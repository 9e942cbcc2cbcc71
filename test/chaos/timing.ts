import { readFileSync } from 'node:fs';
import { sleep } from '../../src/core/concurrency.ts';
import type { ServiceProcess } from '../support/service.ts';
import { areEnded, type Side } from '../support/sides.ts';

const PATIENCE_MS = 240_000;

/** The median of three, after one that warms up. */
export async function timeAlone(side: Side): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < 4; n++) times.push(await timeOne(side, 1));
  return median(times.slice(1));
}

/** Milliseconds until the answer to a question of this person is complete. */
export async function timeOne(side: Side, person: number, text = 'How high is the tower?'): Promise<number> {
  const askedAt = performance.now();
  const place = side.mention(text, person, 'random');
  await eventually(() => areEnded(side.posts(place), 1));
  return performance.now() - askedAt;
}

/** Resolves once the condition holds, or after four minutes. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (performance.now() < end && !(await condition())) await sleep(50);
}

export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** The most that was resident at once; 0 where the system does not tell. */
export function peakMemoryMb({ pid }: ServiceProcess): number {
  if (process.platform !== 'linux') return 0;
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}
