import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { prepareDataDir } from '../support/data-dir.ts';
import type { PageMessage, PageState, Side } from './page-state.ts';
import { type Sandbox, startSandbox } from './sandbox.ts';

export type Platform = 'slack' | 'discord';
export const PLATFORMS = ['slack', 'discord'] as const;

/** A new directory. */
export function freshDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'footnote-sandbox-'));
}

export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
}

/** Starts a sandbox and waits until the service is connected on both sides. */
export async function openSandbox(
  directory: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Sandbox> {
  const dataDir = join(directory, 'data');
  if (!existsSync(dataDir)) await prepareDataDir(dataDir);
  const soon = { RESEARCH_FIRST_POLL_SECONDS: '0.5' };
  const sandbox = await startSandbox({ port: 0, directory, perplexity: null, env: { ...soon, ...env } });
  await connected(sandbox);
  return sandbox;
}

/** Waits until the service is ready and connected on both sides. */
export async function connected({ url }: Sandbox): Promise<void> {
  await until(async () => {
    const { service, slack, discord } = await stateOf(url);
    return service.state === 'ready' && slack.connected && discord.connected;
  });
}

export async function stateOf(url: string): Promise<PageState> {
  const response = await fetch(`${url}/api/state`);
  return (await response.json()) as PageState; // what the page reads, too
}

/** Does something as the page does; resolves with the id of the message it made. @throws when it was refused. */
export async function act(url: string, action: object): Promise<string> {
  const response = await fetch(`${url}/api/do`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify(action),
  });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  const { id } = (await response.json()) as { id: string };
  return id;
}

/** The first person of a side, in its `#general`. */
export function someone(side: Side): { readonly user: string; readonly channel: string } {
  const channel = side.channels.find(({ name }) => name === 'general')?.id ?? '';
  return { user: side.people[0]?.id ?? '', channel };
}

/** Asks with a mention in `#general`, or without one in a thread. */
export async function ask(
  url: string,
  platform: Platform,
  text: string,
  thread: string | null,
): Promise<string> {
  const place = someone((await stateOf(url))[platform]);
  return act(url, { do: 'say', platform, ...place, thread, text, mention: thread === null, repliesTo: null });
}

/** What the bot wrote into a thread so far. */
export function answersIn(side: Side, thread: string): readonly PageMessage[] {
  return side.messages.filter((message) => message.thread === thread && message.author.kind === 'bot');
}

export function textOf({ pieces }: PageMessage): string {
  return pieces.map((piece) => ('text' in piece ? piece.text : '')).join('\n');
}

/** Waits until the thread holds `count` finished answers; returns the newest. */
export async function answer(
  url: string,
  platform: Platform,
  thread: string,
  count = 1,
): Promise<PageMessage> {
  let newest: PageMessage | undefined;
  await until(async () => {
    const answers = answersIn((await stateOf(url))[platform], thread);
    newest = answers.at(-1);
    // The footer comes with the end of an answer.
    return answers.length === count && newest?.streaming === false && /sonar ·/.test(textOf(newest));
  });
  if (newest === undefined) throw new Error('there is no answer');
  return newest;
}

export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  await vi.waitUntil(isSo, { timeout: 30_000, interval: 50 });
}
