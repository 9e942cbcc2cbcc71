import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { GROUPS } from '../src/config-table.ts';
import { metaOf } from '../src/config-types.ts';

const ENV_EXAMPLE = join(import.meta.dirname, '../.env.example');
const SETTINGS_MD = join(import.meta.dirname, '../docs/settings.md');

/** Longer ones (the system prompt) are not for a line of their own. */
const LONGEST_DEFAULT = 60;

const HEADER = `# Footnote's configuration. Copy to .env and fill in; npm start reads it. A variable left empty counts as left out.
# Every fault is reported at start, all at once. Defaults are shown behind the "#".
# Made from src/config-table.ts: npm test -- test/config-docs.test.ts -u
`;

/** One paragraph of comment, in lines of at most 118 characters. */
function comment(text: string): string {
  return `# ${text.replace(/(.{1,116})(?:\s+|$)/g, '$1\n# ')}`.replace(/\n# $/, '');
}

/** As it is written in `.env`; empty when there is none. */
function defaultOf(setting: z.ZodType): string {
  return setting instanceof z.ZodPrefault ? String(setting.def.defaultValue) : '';
}

function exampleOf([name, setting]: [string, z.ZodType]): string {
  const { description, takes = '', isSecret } = metaOf(setting);
  const fallback = defaultOf(setting);
  const shown = ['text', 'a path'].includes(takes) ? '' : ` (${takes})`;
  const line = `${name}=${fallback.length <= LONGEST_DEFAULT ? fallback : ''}`;
  return `${comment(`${description}${shown}`)}\n${isSecret ? '' : '#'}${line}\n`;
}

function envExample(): string {
  const groups = GROUPS.map(({ title, settings }) => {
    const rule = '─'.repeat(Math.max(0, 112 - title.length));
    return [`# ── ${title} ${rule}\n`, ...Object.entries(settings).map(exampleOf)].join('');
  });
  return [HEADER, ...groups].join('\n');
}

function rowOf([name, setting]: [string, z.ZodType]): string {
  const { description, takes } = metaOf(setting);
  const fallback = defaultOf(setting);
  const shown = fallback.length > LONGEST_DEFAULT ? 'a built-in text' : fallback && `\`${fallback}\``;
  return `| \`${name}\` | ${takes} | ${shown} | ${description} |\n`;
}

function settingsTables(): string {
  return GROUPS.map(({ title, settings }) => {
    const [heading = '', doc] = title.split(': docs/');
    const link = doc ? ` ([${doc}](${doc}))` : '';
    const rows = Object.entries(settings).map(rowOf).join('');
    return `### ${heading}${link}\n\n| variable | takes | default | |\n|---|---|---|---|\n${rows}`;
  }).join('\n');
}

test('.env.example is what the table of settings says', async () => {
  await expect(envExample()).toMatchFileSnapshot(ENV_EXAMPLE);
});

test('docs/settings.md lists what the table of settings says', async () => {
  const page = readFileSync(SETTINGS_MD, 'utf8');
  const region = /(<!-- from .*-->\n)[^]*(<!-- end -->)/;
  expect(page).toMatch(region);
  const expected = page.replace(region, (_, start, end) => `${start}\n${settingsTables()}\n${end}`);
  await expect(expected).toMatchFileSnapshot(SETTINGS_MD);
});

test('every variable that the prose of docs/settings.md names exists', () => {
  const names = GROUPS.flatMap(({ settings }) => Object.keys(settings));
  const named = readFileSync(SETTINGS_MD, 'utf8').match(/(?<=`)[A-Z]+(?:_[A-Z]+)+(?==|`)/g) ?? [];
  expect(named.length).toBeGreaterThan(names.length);
  expect(named.filter((name) => !names.includes(name))).toEqual([]);
});
