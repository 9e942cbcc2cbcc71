import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { asRecords, type JsonObject } from '../../../src/core/untrusted.ts';
import { registerCommands } from '../../../src/platforms/discord/register-commands.ts';
import { createRest } from '../../../src/platforms/discord/rest.ts';
import { quietLog } from '../../core/fakes.ts';
import { createTown } from './setup.ts';

const town = createTown();
afterEach(() => town.end());

const ROOT = new URL('../../../', import.meta.url);
const manifest = asRecords(
  JSON.parse(readFileSync(new URL('manifests/discord-commands.json', ROOT), 'utf8')),
);

async function setup() {
  const server = await town.server();
  const rest = createRest({ token: server.token, apiUrl: server.apiUrl, log: quietLog });
  const puts = () => server.calls.filter(({ method }) => method === 'PUT');
  return { server, rest, puts };
}

const everywhere = { applicationId: null, guild: null, dryRun: false };

test('the manifest is accepted as it is and written only once', async () => {
  const { rest, puts } = await setup();
  expect(await registerCommands(rest, manifest, everywhere)).toMatchObject({
    state: 'updated',
    names: ['ask', 'research', 'jobs', 'Ask about this'],
  });
  expect(puts()[0]?.status).toBe(200);
  expect((await registerCommands(rest, manifest, everywhere)).state).toBe('unchanged');
  expect(puts()).toHaveLength(1);
});

test('a change is written, a dry run only told', async () => {
  const { rest, puts } = await setup();
  await registerCommands(rest, manifest.slice(0, 1), everywhere);
  expect((await registerCommands(rest, manifest, { ...everywhere, dryRun: true })).state).toBe(
    'would-update',
  );
  expect(puts()).toHaveLength(1);
  expect((await registerCommands(rest, manifest, everywhere)).state).toBe('updated');
});

test.each([
  ['a subcommand more', (jobs: JsonObject[]) => jobs.slice(1)],
  ['a word in a subcommand', (jobs: JsonObject[]) => jobs.map((job) => ({ ...job, description: 'x' }))],
  ['an option of a subcommand', (jobs: JsonObject[]) => jobs.map((job) => ({ ...job, options: [] }))],
])('%s is a change', async (_, change) => {
  const { rest } = await setup();
  const older = manifest.map((command) =>
    command['name'] === 'jobs'
      ? { ...command, options: change([...asRecords(command['options'])]) }
      : command,
  );
  await registerCommands(rest, older, everywhere);
  expect((await registerCommands(rest, manifest, everywhere)).state).toBe('updated');
  expect((await registerCommands(rest, manifest, everywhere)).state).toBe('unchanged');
});

test('one server can be registered for', async () => {
  const { server, rest, puts } = await setup();
  await registerCommands(rest, manifest, { ...everywhere, guild: server.guild.id });
  expect(puts()[0]?.path).toContain(`/guilds/${server.guild.id}/commands`);
});

async function run(
  env: Record<string, string>,
  ...args: string[]
): Promise<{ code: number | null; text: string }> {
  const script = new URL('src/register-commands.ts', ROOT).pathname;
  const child = spawn(process.execPath, [script, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += String(chunk)));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, text };
}

test('npm run register-commands needs nothing but the token, and names what is wrong', async () => {
  const { server } = await setup();
  const env = { DISCORD_TOKEN: server.token, DISCORD_API_URL: server.apiUrl };
  const [dry, wrong, missing, usage] = await Promise.all([
    run(env, '--dry-run'),
    run({ ...env, DISCORD_TOKEN: 'wrong' }),
    run({}),
    run(env, '--guild', 'here'),
  ]);
  expect(dry).toEqual({
    code: 0,
    text: 'Would register for all servers: ask, research, jobs, Ask about this\n',
  });
  expect(wrong).toMatchObject({ code: 78, text: expect.stringContaining('DISCORD_TOKEN') });
  expect(missing).toMatchObject({ code: 78, text: expect.stringContaining('DISCORD_TOKEN') });
  expect(usage).toMatchObject({ code: 64, text: expect.stringContaining('--guild') });
  expect(wrong.text).not.toContain('    at ');
});
