import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ASK_ABOUT_CALLBACK } from '../../../src/platforms/slack/interactions.ts';
import { createListeners } from '../../../src/platforms/slack/listeners.ts';
import { SCOPES_OF_METHODS } from '../../servers/slack/scopes.ts';
import { silentLog } from './log.ts';
import { SELF } from './payloads.ts';
import { COMMANDS } from './setup.ts';

const SOURCES = new URL('../../../src/platforms/slack/', import.meta.url);
const MANIFESTS = new URL('../../../manifests/', import.meta.url);

const SCOPES_OF_EVENTS: Readonly<Record<string, string>> = {
  agent_session_stopped: 'chat:write',
  app_mention: 'app_mentions:read',
  'message.channels': 'channels:history',
  'message.groups': 'groups:history',
  'message.im': 'im:history',
  'message.mpim': 'mpim:history',
};
/** What features of the manifest need by themselves. */
const SCOPES_OF_FEATURES = ['commands', 'assistant:write'];

describe.each(['slack.yaml', 'slack-minimal.yaml'])('%s', (name) => {
  const manifest = readManifest(name);

  test('subscribes to the events that are listened to, and to no others', () => {
    const families = manifest.events.map((event) => event.split('.')[0]);
    expect(new Set(families)).toEqual(new Set(listened().events));
    for (const event of manifest.events) expect(manifest.scopes).toContain(SCOPES_OF_EVENTS[event]);
  });

  test('declares the commands and the shortcut that are answered', () => {
    expect(manifest.commands).toEqual(listened().commands);
    expect(manifest.callbacks).toEqual(listened().shortcuts);
    expect(manifest.text).toMatch(/interactivity:\n\s+is_enabled: true/);
    expect(manifest.text).toContain('socket_mode_enabled: true');
  });

  test('asks for no scope that nothing uses', () => {
    const used = new Set([
      ...SCOPES_OF_FEATURES,
      ...manifest.events.map((event) => SCOPES_OF_EVENTS[event]),
      ...usedMethods().flatMap((method) => SCOPES_OF_METHODS[method] ?? []),
    ]);
    expect(manifest.scopes.filter((scope) => !used.has(scope))).toEqual([]);
    expect(manifest.text).toContain('agent_view:');
  });
});

describe('scopes', () => {
  test('slack.yaml has every scope that the methods in use need', () => {
    const { scopes } = readManifest('slack.yaml');
    // Were they not found in the sources any more, nothing would be looked at.
    expect(usedMethods()).toEqual(expect.arrayContaining(['chat.postMessage', 'conversations.replies']));
    expect(usedMethods().length).toBeGreaterThan(15);
    for (const method of usedMethods()) {
      const needed = SCOPES_OF_METHODS[method];
      expect(needed, method).toBeDefined();
      expect(scopes).toEqual(expect.arrayContaining([...(needed ?? [])]));
    }
  });

  test('slack-minimal.yaml reads no channel', () => {
    const { scopes } = readManifest('slack-minimal.yaml');
    expect(scopes.filter((scope) => /^(?:channels|groups|mpim):/.test(scope))).toEqual([]);
  });
});

function readManifest(name: string) {
  const text = readFileSync(new URL(name, MANIFESTS), 'utf8');
  return {
    text,
    scopes: listAfter(text, 'bot'),
    events: listAfter(text, 'bot_events'),
    commands: [...text.matchAll(/command: (\S+)/g)].map((match) => match[1]),
    callbacks: [...text.matchAll(/callback_id: (\S+)/g)].map((match) => match[1]),
  };
}

/** The plain items of one YAML list, comments between them allowed. */
function listAfter(text: string, key: string): string[] {
  const list = new RegExp(`\\n\\s*${key}:\\n((?:\\s*(?:#.*|- \\S+)\\n)+)`).exec(text)?.[1] ?? '';
  return [...list.matchAll(/^\s*- (\S+)$/gm)].map((match) => match[1] ?? '');
}

/** What the code listens to. */
function listened() {
  const never = () => Promise.reject(new Error());
  const intake = { accept: never, press: never, stop: never, withdraw: never };
  const researchCommands = { run: never, choices: never };
  const { events, commands } = createListeners({
    commands: COMMANDS,
    self: SELF,
    intake,
    researchCommands,
    log: silentLog,
  });
  return { events: [...events.keys()], commands: [...commands.keys()], shortcuts: [ASK_ABOUT_CALLBACK] };
}

/** Every Web API method named in the sources; `auth.test` and `apps.connections.open` need no bot scope. */
function usedMethods(): string[] {
  const names = readdirSync(SOURCES).flatMap((file) => {
    const source = readFileSync(new URL(file, SOURCES), 'utf8');
    return [...source.matchAll(/'((?:[a-z]+\.)+[a-z]+[A-Z]?[A-Za-z]*)'[,:)\s]/g)].map(
      (match) => match[1] ?? '',
    );
  });
  return [...new Set(names)].filter((name) => !['auth.test', 'apps.connections.open'].includes(name));
}
