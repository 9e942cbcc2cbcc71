import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`),
]
  .filter((name) => name.endsWith('.md'))
  .map((name) => ({ name, text: readFileSync(join(ROOT, name), 'utf8') }));

/** A path from the root of the repository, in prose or in a block of code, `*` for the rest of a name; not the end of an address. */
const PATH = /(?<![\w/.-])(?:src|test|docs|manifests)\/[\w./-]*(?:\w|\*)/g;
/** The target of a link, without what follows `#`. */
const LINK = /\]\((?!<?\w+:|#)([^)#\s]+)/g;

test('every path that the documentation names exists', () => {
  const named = PAGES.flatMap(({ name, text }) =>
    [...text.matchAll(PATH)].map(([path]) => ({ page: name, path })),
  );
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter(({ path }) => !isThere(path))).toEqual([]);
});

test('every link to a page or file of ours leads somewhere', () => {
  const links = PAGES.flatMap(({ name, text }) =>
    [...text.matchAll(LINK)].map(([, target = '']) => ({ page: name, target })),
  );
  expect(links.length).toBeGreaterThan(10);
  expect(links.filter(({ page, target }) => !existsSync(join(ROOT, dirname(page), target)))).toEqual([]);
});

function isThere(path: string): boolean {
  if (!path.endsWith('*')) return existsSync(join(ROOT, path));
  const folder = join(ROOT, dirname(path));
  return existsSync(folder) && readdirSync(folder).some((name) => name.startsWith(basename(path, '*')));
}
