/** Block mark-up → elements: fences, headings, lists, quotes, tables, small print and paragraphs. */
import { h } from './dom.js';
import { decode, inline } from './inline.js';

/**
 * @param {string} text
 * @param {{ dialect: string, nameOf: (id: string) => string | null }} rules
 * @returns {Node[]}
 */
export function blocks(text, rules) {
  if (rules.dialect === 'plain') return [h('p', {}, text)];
  const lines = text.split('\n');
  const nodes = [];
  let paragraph = [];
  const flush = () => {
    if (paragraph.length > 0) nodes.push(h('p', {}, ...inline(paragraph.join('\n'), rules)));
    paragraph = [];
  };
  for (let at = 0; at < lines.length; ) {
    const found = blockAt(lines, at, rules);
    if (found) {
      flush();
      nodes.push(found.node);
      at = found.end;
      continue;
    }
    if (lines[at].trim() === '') flush();
    else paragraph.push(lines[at]);
    at++;
  }
  flush();
  return nodes;
}

const READERS = {
  markdown: [fence, heading, rule, quote, list, table],
  file: [fence, heading, rule, quote, list, table],
  discord: [fence, smallPrint, heading, quote, list],
  mrkdwn: [fence, quote],
};

function blockAt(lines, at, rules) {
  for (const read of READERS[rules.dialect] ?? []) {
    const found = read(lines, at, rules);
    if (found) return found;
  }
  return null;
}

function fence(lines, at, rules) {
  const open = /^(\s{0,3})(`{3,}|~{3,})\s*([\w+#.-]*)\s*$/.exec(lines[at]);
  if (!open) return null;
  const [, indent, mark, language] = open;
  const isClose = (line) => new RegExp(`^\\s{0,3}\\${mark[0]}{${mark.length},}\\s*$`).test(line);
  const close = lines.findIndex((line, index) => index > at && isClose(line));
  const end = close === -1 ? lines.length : close;
  const content = lines
    .slice(at + 1, end)
    .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
  const node = h(
    'pre',
    { tabindex: '0', 'data-language': language || null },
    h('code', {}, decode(content.join('\n'), rules)),
  );
  return { node, end: end + 1 };
}

function heading(lines, at, rules) {
  const found = (rules.dialect === 'discord' ? /^(#{1,3})\s+(.+)$/ : /^(#{1,6})\s+(.+?)\s*#*$/).exec(
    lines[at],
  );
  // The page itself has h1 to h3.
  return (
    found && { node: h(`h${Math.min(6, found[1].length + 3)}`, {}, ...inline(found[2], rules)), end: at + 1 }
  );
}

function rule(lines, at) {
  return /^\s{0,3}([-*_])(?:\s*\1){2,}\s*$/.test(lines[at]) ? { node: h('hr'), end: at + 1 } : null;
}

function smallPrint(lines, at, rules) {
  const found = /^-#\s+(.+)$/.exec(lines[at]);
  return found && { node: h('p.small', {}, ...inline(found[1], rules)), end: at + 1 };
}

function quote(lines, at, rules) {
  const mark = rules.dialect === 'mrkdwn' ? /^(?:>|&gt;) ?/ : /^> ?/;
  if (rules.dialect === 'discord' && lines[at].startsWith('>>> ')) {
    const rest = [lines[at].slice(4), ...lines.slice(at + 1)].join('\n');
    return { node: h('blockquote', {}, ...blocks(rest, rules)), end: lines.length };
  }
  if (!mark.test(lines[at]) || (rules.dialect === 'discord' && !lines[at].startsWith('> '))) return null;
  let end = at;
  while (end < lines.length && mark.test(lines[end])) end++;
  const inner = lines.slice(at, end).map((line) => line.replace(mark, ''));
  return { node: h('blockquote', {}, ...blocks(inner.join('\n'), rules)), end };
}

const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;

function list(lines, at, rules) {
  const first = ITEM.exec(lines[at]);
  if (!first || first[1].length > 3) return null;
  const isOrdered = /\d/.test(first[2]);
  const items = [];
  let end = at;
  for (; end < lines.length; end++) {
    const item = ITEM.exec(lines[end]);
    const isOwn = item && item[1].length <= first[1].length + 1 && /\d/.test(item[2]) === isOrdered;
    if (isOwn) items.push([item[3]]);
    else if (/^\s{2,}\S/.test(lines[end]) || (item && item[1].length > first[1].length))
      items.at(-1).push(lines[end].replace(/^\s{1,4}/, ''));
    else if (lines[end].trim() !== '' || !continues(lines, end, first, isOrdered)) break;
  }
  const tag = isOrdered ? 'ol' : 'ul';
  const start = isOrdered ? Number.parseInt(first[2], 10) : null;
  const children = items.map((item) => h('li', {}, ...tight(blocks(item.join('\n'), rules))));
  return { node: h(tag, { start: start === 1 ? null : start }, ...children), end };
}

/** An empty line between two items of one list. */
function continues(lines, end, first, isOrdered) {
  const next = ITEM.exec(lines[end + 1] ?? '');
  if (/^\s{2,}\S/.test(lines[end + 1] ?? '')) return true;
  return next !== null && next[1].length <= first[1].length + 1 && /\d/.test(next[2]) === isOrdered;
}

function tight(nodes) {
  return nodes.length > 0 && nodes[0].nodeName === 'P' ? [...nodes[0].childNodes, ...nodes.slice(1)] : nodes;
}

function table(lines, at, rules) {
  const isRow = (line) => line !== undefined && line.includes('|') && line.trim() !== '';
  if (!isRow(lines[at]) || !/^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/.test(lines[at + 1] ?? ''))
    return null;
  const aligns = cells(lines[at + 1]).map((cell) =>
    /^:.*:$/.test(cell) ? 'center' : cell.endsWith(':') ? 'end' : null,
  );
  if (aligns.length !== cells(lines[at]).length) return null;
  const row = (line, tag) =>
    h(
      'tr',
      {},
      ...aligns.map((align, index) => h(tag, { class: align }, ...inline(cells(line)[index] ?? '', rules))),
    );
  let end = at + 2;
  while (isRow(lines[end])) end++;
  const body = lines.slice(at + 2, end).map((line) => row(line, 'td'));
  const made = h('table', {}, h('thead', {}, row(lines[at], 'th')), h('tbody', {}, ...body));
  return { node: h('div.table', { tabindex: '0' }, made), end };
}

function cells(line) {
  const inner = line
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '');
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
}
