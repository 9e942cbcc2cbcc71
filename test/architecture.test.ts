import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../src');

/** What each folder may import besides itself: folders of ours, then packages. `main.ts` and its neighbours may import all. */
const ALLOWED: Readonly<
  Record<string, { readonly ours: readonly string[]; readonly packages: readonly string[] }>
> = {
  core: { ours: [], packages: [] },
  markdown: { ours: ['core'], packages: ['marked'] },
  perplexity: { ours: ['core'], packages: ['openai'] },
  store: {
    ours: ['core'],
    packages: ['pg', 'pg-boss', 'keyv', '@electric-sql/pglite'],
  },
  ops: { ours: ['core'], packages: ['prom-client'] },
  'platforms/slack': { ours: ['core', 'markdown'], packages: ['@slack/'] },
  'platforms/discord': {
    ours: ['core', 'markdown'],
    packages: ['discord.js', '@discordjs/ws', 'discord-api-types'],
  },
};

/** The one file outside that an entry point of its own may read: the configuration. */
const ENTRY_POINTS: Readonly<Record<string, readonly string[]>> = {
  'platforms/discord/register-commands.ts': ['config.ts', 'node-version.js'],
};

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(ts|js)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Every module specifier of a file: static, dynamic, re-exported, type-only and `typeof import()`. */
function importsOf(file: string): string[] {
  const source = readFileSync(file, 'utf8');
  const specifiers = source.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)['"]([^'"]+)['"]/g);
  return [...specifiers].map((match) => match[1] ?? '');
}

function layerOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  return first === 'platforms' ? `${first}/${second}` : first;
}

function isAllowed(file: string, specifier: string): boolean {
  const from = relative(ROOT, file);
  const rule = ALLOWED[layerOf(from)];
  if (!from.includes('/')) return true;
  if (!rule) return false;
  if (specifier.startsWith('node:')) return true;
  if (!specifier.startsWith('.')) {
    return rule.packages.some(
      (name) => specifier === name || specifier.startsWith(name.endsWith('/') ? name : `${name}/`),
    );
  }
  const target = relative(ROOT, resolve(dirname(file), specifier));
  const isEntryRead = ENTRY_POINTS[from]?.includes(target) ?? false;
  return isEntryRead || layerOf(target) === layerOf(from) || rule.ours.includes(layerOf(target));
}

test('every import stays within its layer', () => {
  const wrong = filesIn(ROOT).flatMap((file) =>
    importsOf(file)
      .filter((specifier) => !isAllowed(file, specifier))
      .map((specifier) => `${relative(ROOT, file)} imports ${specifier}`),
  );
  expect(wrong).toEqual([]);
});

test('only the configuration reads the environment', () => {
  const readers = filesIn(ROOT)
    .filter((file) => /process\.env\b|loadEnvFile/.test(readFileSync(file, 'utf8')))
    .map((file) => relative(ROOT, file));
  expect(readers).toEqual(['config.ts']);
});

test('product code knows nothing of the stand-ins', () => {
  const wrong = filesIn(ROOT).filter((file) =>
    importsOf(file).some((specifier) => specifier.includes('test/')),
  );
  expect(wrong).toEqual([]);
});
