import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };

const ROOT = resolve(import.meta.dirname, '..');
const SRC = join(ROOT, 'src');

interface Layer {
  /** Layers it may import besides itself. */
  readonly ours: readonly string[];
  /** Packages it may import, and anything inside them. */
  readonly packages: readonly string[];
}

/** The layers of src: a file belongs to the longest one that its folder begins with. No two of them import each other. */
const LAYERS: Readonly<Record<string, Layer>> = {
  core: { ours: [], packages: [] },
  'core/commands': { ours: ['core'], packages: [] },
  'core/limits': { ours: ['core'], packages: [] },
  'core/answering': { ours: ['core', 'core/commands'], packages: [] },
  'core/research': { ours: ['core', 'core/commands', 'core/answering'], packages: [] },
  markdown: { ours: ['core'], packages: ['marked', 'tldts'] },
  perplexity: { ours: ['core', 'core/research'], packages: ['openai'] },
  store: { ours: ['core', 'core/research'], packages: ['pg', 'pg-boss', 'keyv', '@electric-sql/pglite'] },
  ops: { ours: ['core'], packages: ['prom-client'] },
  pdf: { ours: ['core'], packages: ['unpdf'] },
  'platforms/slack': {
    ours: ['core', 'core/answering', 'core/commands', 'core/limits', 'core/research', 'markdown'],
    packages: ['@slack/bolt', '@slack/web-api', '@slack/socket-mode', '@slack/types', 'undici'],
  },
  'platforms/discord': {
    ours: ['core', 'core/commands', 'core/limits', 'core/research', 'markdown'],
    packages: ['discord.js'],
  },
};

/** What the files directly in src may import besides all of the above, by the beginning of their names. */
const AT_THE_TOP: Readonly<Record<string, readonly string[]>> = { config: ['zod'], log: ['pino'] };

/** Modules of Node that only protocols and tricks need: the packages speak HTTP, WebSocket and TLS, and here is who may. */
const RESERVED: Readonly<Record<string, readonly string[]>> = {
  'node:http': ['ops/server.ts', 'config.ts', 'platforms/discord/client.ts'],
  // Whose agent says whether Node was told to use proxies.
  'node:https': ['platforms/slack/socket-proxy.ts', 'platforms/discord/client.ts'],
  'node:http2': [],
  'node:net': [],
  'node:tls': [],
  'node:dgram': [],
  'node:diagnostics_channel': [],
  'node:v8': ['store/pglite.ts'],
  'node:vm': [],
};

interface Import {
  /** Relative to src. */
  readonly from: string;
  readonly specifier: string;
  readonly isType: boolean;
}

const IMPORT = /(?:\b(import|export)(\s+type)?\b[^'"`;]*?\bfrom\s*|\bimport\s*\(?\s*)['"]([^'"]+)['"]/g;

const FILES = readdirSync(SRC, { withFileTypes: true, recursive: true })
  .filter((entry) => entry.isFile() && /\.(?:ts|js)$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name))
  .map((path) => ({ name: relative(SRC, path), source: readFileSync(path, 'utf8') }));

/** Every import of src: static, dynamic, re-exported, type-only and `typeof import()`. */
const IMPORTS: readonly Import[] = FILES.flatMap(({ name, source }) =>
  [...source.matchAll(IMPORT)].map(([, , type, specifier = '']) => ({
    from: name,
    specifier,
    isType: type !== undefined,
  })),
);

/** Null at the top. */
function layerOf(name: string): string | null {
  const layers = Object.keys(LAYERS).filter((layer) => name.startsWith(`${layer}/`));
  return layers.toSorted((a, b) => b.length - a.length)[0] ?? null;
}

function isAllowed({ from, specifier, isType }: Import): boolean {
  if (specifier.startsWith('node:')) return isType || (RESERVED[specifier]?.includes(from) ?? true);
  const layer = layerOf(from);
  if (!specifier.startsWith('.')) return packagesOf(from).some((name) => isInside(specifier, name));
  if (layer === null) return true;
  const target = relative(SRC, resolve(SRC, dirname(from), specifier));
  const theirs = layerOf(target);
  return theirs !== null && (theirs === layer || (LAYERS[layer]?.ours.includes(theirs) ?? false));
}

function packagesOf(from: string): readonly string[] {
  const layer = layerOf(from);
  if (layer !== null) return LAYERS[layer]?.packages ?? [];
  const known = Object.entries(AT_THE_TOP).filter(([prefix]) => from.startsWith(prefix));
  return known.flatMap(([, packages]) => packages);
}

function isInside(specifier: string, name: string): boolean {
  return specifier === name || specifier.startsWith(`${name}/`);
}

test('every import stays within its layer', () => {
  expect(IMPORTS.length).toBeGreaterThan(500);
  const wrong = IMPORTS.filter((one) => !isAllowed(one));
  expect(wrong.map(({ from, specifier }) => `${from} imports ${specifier}`)).toEqual([]);
});

test('every folder is a layer, every layer is a folder, and none imports one that imports it', () => {
  const strays = FILES.filter(({ name }) => name.includes('/') && layerOf(name) === null);
  expect(strays.map(({ name }) => name)).toEqual([]);
  const used = new Set(FILES.map(({ name }) => layerOf(name)));
  expect(Object.keys(LAYERS).filter((layer) => !used.has(layer))).toEqual([]);
  const mutual = Object.entries(LAYERS).flatMap(([layer, { ours }]) =>
    ours.filter((other) => LAYERS[other]?.ours.includes(layer)).map((other) => `${layer} and ${other}`),
  );
  expect(mutual).toEqual([]);
});

test('every package that the service depends on is imported, or not a dependency', () => {
  const unused = Object.keys(packageJson.dependencies).filter(
    (name) => !IMPORTS.some(({ specifier }) => isInside(specifier, name)),
  );
  expect(unused).toEqual([]);
});

test('only the configuration reads the environment', () => {
  const readers = FILES.filter(({ source }) => /process\.env\b|loadEnvFile\(['"`]/.test(source));
  expect(readers.map(({ name }) => name)).toEqual(['config.ts']);
});

test('product code knows nothing of the stand-ins', () => {
  expect(IMPORTS.filter(({ specifier }) => specifier.includes('test/'))).toEqual([]);
});

test('the engine runs as it is: no internals, no flags but those that compiling PGlite needs', () => {
  const tricks = FILES.filter(({ source }) => /process\.binding\b|internalBinding\b/.test(source));
  expect(tricks.map(({ name }) => name)).toEqual([]);
  const flagged = FILES.filter(({ source }) => source.includes('setFlagsFromString('));
  expect(flagged.map(({ name }) => name)).toEqual(['store/pglite.ts']);
});

test('the service is started by node and its file alone', () => {
  const flags = Object.entries(packageJson.scripts).flatMap(([name, script]) =>
    [...script.matchAll(/\bnode((?: +-\S+(?: +\.\/src\/node-version\.js)?)*)/g)].map(([, given = '']) => ({
      name,
      given: given.trim(),
    })),
  );
  expect(new Set(flags.filter(({ name }) => name === 'start').map(({ given }) => given))).toEqual(
    new Set(['']),
  );
  const allowed = ['', '--watch', '--import ./src/node-version.js'];
  expect(flags.filter(({ given }) => !allowed.includes(given))).toEqual([]);
  const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
  expect(dockerfile).toMatch(/^CMD \["node", "src\/main\.ts"\]$/m);
  expect(dockerfile).not.toMatch(/NODE_OPTIONS|--import|--max|--v8/);
});
