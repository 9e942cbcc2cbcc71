import { readFileSync } from 'node:fs';

const MANIFESTS = new URL('../../../manifests/', import.meta.url);

/** What the tests need of a manifest in `manifests/`. */
export function readManifest(name: 'slack.yaml' | 'slack-minimal.yaml') {
  const text = readFileSync(new URL(name, MANIFESTS), 'utf8');
  return {
    text,
    scopes: listAfter(text, 'bot'),
    events: listAfter(text, 'bot_events'),
    commands: [...text.matchAll(/command: (\S+)/g)].map((match) => match[1] ?? ''),
    callbacks: [...text.matchAll(/callback_id: (\S+)/g)].map((match) => match[1] ?? ''),
  };
}

/** The plain items of one YAML list, comments between them allowed. */
function listAfter(text: string, key: string): string[] {
  const list = new RegExp(`\\n\\s*${key}:\\n((?:\\s*(?:#.*|- \\S+)\\n)+)`).exec(text)?.[1] ?? '';
  return [...list.matchAll(/^\s*- (\S+)$/gm)].map((match) => match[1] ?? '');
}
