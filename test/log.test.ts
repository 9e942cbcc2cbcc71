import { expect, test } from 'vitest';
import { createLog } from '../src/log.ts';

function setup(secrets: readonly string[] = []) {
  const lines: string[] = [];
  const log = createLog({
    level: 'debug',
    secrets,
    destination: { write: (line: string) => void lines.push(line) },
  });
  return { log, lines };
}

test('secrets are scrubbed wherever they stand in a line', () => {
  const { log, lines } = setup(['exact"secret', 'p4ssw0rd']);
  const error = Object.assign(new Error('failed with xoxb-11-22-abc'), { deep: { token: 'xapp-1-A-22' } });
  log.error({ err: error, nested: { deeper: { key: 'pplx-abcdef' } } }, 'message with exact"secret');
  log.info({ url: 'postgres://me:hunter2@db/x', other: 'p4ssw0rd' }, 'xoxe.xoxb-1-rotated');
  const text = lines.join('');
  for (const secret of ['xoxb-11', 'xapp-1', 'pplx-abc', 'exact', 'hunter2', 'p4ssw0rd', 'xoxb-1-rotated']) {
    expect(text).not.toContain(secret);
  }
  expect(text).toContain('[redacted]');
});

test('a secret that was cut is scrubbed as well', () => {
  const secret = 'gateway-key-0123456789';
  const { log, lines } = setup([secret]);
  for (const length of [8, 15, 21]) log.info({ at: `${secret.slice(0, length)}…` }, 'the key');
  log.error({ err: new Error(`${'x'.repeat(285)}${secret}`) }, 'failed');
  expect(lines.join('')).not.toMatch(/gateway|key-0|0123/);
  expect(lines.map((line) => line.includes('[redacted]'))).toEqual([true, true, true, true]);
});

test('of secrets that begin alike each is scrubbed to its end', () => {
  const { log, lines } = setup(['gateway-key-0123', 'gateway-key-4567', 'xoxb-1234-mine']);
  log.info({ both: 'gateway-key-0123 gateway-key-4567', other: 'xoxb-1234-theirs' }, 'the keys');
  expect(lines.join('')).not.toMatch(/0123|4567|theirs/);
});

test('an error is told by what we know of it, not by what an SDK hung on it', () => {
  const { log, lines } = setup();
  log.error(
    { err: Object.assign(new Error('boom'), { status: 500, request: { body: 'the question' } }) },
    'failed',
  );
  const line = JSON.parse(lines[0]!) as { err: Record<string, unknown>; level: string };
  expect(line.level).toBe('error');
  expect(Object.keys(line.err).sort()).toEqual(['message', 'stack', 'status', 'type']);
});

test('a child carries its fields on every line', () => {
  const { log, lines } = setup();
  log.child({ question: 'E-2222' }).info({}, 'answered');
  expect(JSON.parse(lines[0]!)).toMatchObject({ question: 'E-2222', msg: 'answered' });
});
