/** Blocks → words: what a person sees in them, without what can only be pressed. Takes any JSON, as apps send it, and never throws. */
import { asArray, asNumber, asRecord, asText, type JsonObject } from '../../core/untrusted.ts';
import { decodeEntities, decodeMarkdown, decodeText, decodeToken, type Reader } from './decode-text.ts';

/** So much of one message is looked at: a hostile one costs no more than the longest that Slack takes. */
const MAX_NODES = 10_000;
const MAX_DEPTH = 16;

/** What reading one message may still cost, and who reads. */
export interface Reading extends Reader {
  nodes: number;
}

export function startReading({ self, names }: Reader): Reading {
  return { self, names, nodes: MAX_NODES };
}

/** The words in a list of blocks, one block after the other; empty when there are none. */
export function readBlocks(blocks: unknown, reading: Reading): string {
  return joinWords(asArray(blocks), reading, '\n', 0);
}

/** Where the words of a block or element are, in the order in which they are shown, and what separates them. */
interface Layout {
  readonly keys: readonly string[];
  readonly separator?: string;
}

/** What is missing here has no words of its own: buttons, menus, dividers. */
const LAYOUTS: ReadonlyMap<unknown, Layout> = new Map<string, Layout>([
  ['rich_text', { keys: ['elements'] }],
  ['header', { keys: ['text'] }],
  ['section', { keys: ['text', 'fields', 'accessory'] }],
  ['context', { keys: ['elements'], separator: ' ' }],
  ['alert', { keys: ['text'] }],
  ['image', { keys: ['title', 'alt_text'] }],
  ['video', { keys: ['title', 'description', 'author_name', 'provider_name', 'title_url'] }],
  ['input', { keys: ['label', 'hint', 'element'] }],
  ['actions', { keys: ['elements'] }],
  ['checkboxes', { keys: ['options'] }],
  ['radio_buttons', { keys: ['options'] }],
  ['table', { keys: ['rows'] }],
  ['data_table', { keys: ['caption', 'rows'] }],
  ['card', { keys: ['title', 'subtitle', 'body', 'hero_image'] }],
  ['carousel', { keys: ['elements'] }],
  ['container', { keys: ['title', 'rich_text_title', 'subtitle', 'child_blocks'] }],
  ['plan', { keys: ['title', 'tasks'] }],
  ['task_card', { keys: ['title', 'details', 'output', 'sources'] }],
  ['call', { keys: ['call'] }],
  ['rich_text_section', { keys: ['elements'], separator: '' }],
  ['rich_text_quote', { keys: ['elements'], separator: '' }],
  ['rich_text_preformatted', { keys: ['elements'], separator: '' }],
  ['rich_text_list', { keys: ['elements'] }],
]);

/** An option of a poll, and the description of a call, have no type. */
const UNTYPED: Layout = { keys: ['text', 'description', 'v1', 'name'] };

/** What is made of the words of these, beyond joining them. */
const FRAMES: ReadonlyMap<unknown, (words: string, node: JsonObject) => string> = new Map([
  ['rich_text_quote', (words: string) => words.replaceAll(/^/gm, '> ')],
  ['rich_text_preformatted', (words: string) => `\`\`\`\n${words}\n\`\`\``],
]);

/** Texts, and the elements of rich text: each is words by itself. Rich text is not escaped, all others are. */
const LEAVES: ReadonlyMap<unknown, (node: JsonObject, reader: Reader) => string> = new Map([
  ['mrkdwn', (node: JsonObject, reader: Reader) => decodeText(textOf(node['text']), reader)],
  ['markdown', (node: JsonObject, reader: Reader) => decodeMarkdown(textOf(node['text']), reader)],
  ['plain_text', ({ text }: JsonObject) => decodeEntities(textOf(text))],
  ['raw_text', ({ text }: JsonObject) => textOf(text)],
  ['raw_number', ({ text, value }: JsonObject) => textOf(text) || String(asNumber(value) ?? '')],
  ['text', ({ text, style }: JsonObject) => inCode(textOf(text), asRecord(style)?.['code'] === true)],
  ['link', (node: JsonObject, reader: Reader) => readLink(node, reader)],
  ['url', (node: JsonObject, reader: Reader) => readLink(node, reader)],
  ['user', (node: JsonObject, reader: Reader) => decodeToken(`@${textOf(node['user_id'])}`, reader)],
  ['channel', (node: JsonObject, reader: Reader) => decodeToken(`#${textOf(node['channel_id'])}`, reader)],
  ['usergroup', (_node: JsonObject, reader: Reader) => decodeToken('!subteam', reader)],
  ['broadcast', (node: JsonObject, reader: Reader) => decodeToken(`!${textOf(node['range'])}`, reader)],
  ['emoji', ({ name }: JsonObject) => `:${textOf(name)}:`],
  ['color', ({ value }: JsonObject) => textOf(value)],
  ['date', ({ fallback, timestamp }: JsonObject) => textOf(fallback) || formatTime(asNumber(timestamp))],
]);

function readNode(value: unknown, reading: Reading, depth: number): string {
  if (typeof value === 'string') return decodeEntities(value);
  if (depth > MAX_DEPTH || reading.nodes-- <= 0) return '';
  if (Array.isArray(value)) return joinWords(value, reading, '\n', depth);
  const node = asRecord(value);
  if (node === null) return '';
  const { type } = node;
  const leaf = LEAVES.get(type);
  if (leaf) return leaf(node, reading);
  if (type === 'rich_text_list') return readList(node, reading, depth);
  const { keys, separator = '\n' } = LAYOUTS.get(type) ?? (type === undefined ? UNTYPED : { keys: [] });
  const parts = keys.map((key) =>
    key === 'rows' ? readRows(node[key], reading, depth) : readPart(node[key], reading, separator, depth),
  );
  const words = parts.filter((part) => part !== '').join('\n');
  return FRAMES.get(type)?.(words, node) ?? words;
}

function readPart(value: unknown, reading: Reading, separator: string, depth: number): string {
  return Array.isArray(value)
    ? joinWords(value, reading, separator, depth + 1)
    : readNode(value, reading, depth + 1);
}

function joinWords(values: readonly unknown[], reading: Reading, separator: string, depth: number): string {
  const parts: string[] = [];
  for (const value of values) {
    if (reading.nodes <= 0) break;
    const words = readNode(value, reading, depth + 1);
    if (words !== '') parts.push(separator === '' ? words : words.trimEnd());
  }
  return parts.join(separator);
}

function readList({ elements, style, indent, offset }: JsonObject, reading: Reading, depth: number): string {
  const margin = '  '.repeat(Math.min(Math.max(asNumber(indent) ?? 0, 0), 8));
  const first = (asNumber(offset) ?? 0) + 1;
  const items: string[] = [];
  for (const [index, item] of asArray(elements).entries()) {
    if (reading.nodes <= 0) break;
    const mark = style === 'ordered' ? `${first + index}.` : '-';
    items.push(`${margin}${mark} ${readNode(item, reading, depth + 1)}`);
  }
  return items.join('\n');
}

/** A row of a table is a line, so that the model sees which cells belong together. */
function readRows(rows: unknown, reading: Reading, depth: number): string {
  const lines: string[] = [];
  for (const row of asArray(rows)) {
    if (reading.nodes <= 0) break;
    const cells = asArray(row).map((cell) => oneLine(readNode(cell, reading, depth + 2)));
    if (cells.some((cell) => cell !== '')) lines.push(cells.join(' | '));
  }
  return lines.join('\n');
}

function oneLine(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .join(' ');
}

function readLink({ url, text }: JsonObject, reader: Reader): string {
  const label = textOf(text);
  return decodeToken(label === '' ? textOf(url) : `${textOf(url)}|${label}`, reader);
}

function inCode(text: string, isCode: boolean): string {
  return isCode ? `\`${text}\`` : text;
}

function formatTime(seconds: number | null): string {
  const date = new Date((seconds ?? Number.NaN) * 1000);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, 16).replace('T', ' ');
}

function textOf(value: unknown): string {
  return asText(value) ?? '';
}
