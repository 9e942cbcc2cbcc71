/** Inline mark-up → nodes, by the dialect's rules. What is not understood stays as it was written. */
import { h } from './dom.js';

/**
 * @param {string} text
 * @param {{ dialect: string, nameOf: (id: string) => string | null, me?: string }} rules `me`: whose mentions stand out
 * @returns {Node[]}
 */
export function inline(text, rules) {
  const nodes = [];
  let plain = '';
  const flush = () => {
    if (plain !== '') nodes.push(document.createTextNode(decode(plain, rules)));
    plain = '';
  };
  for (let at = 0; at < text.length; ) {
    const found = tokenAt(text, at, rules);
    if (found === null) {
      plain += text[at++];
      continue;
    }
    flush();
    nodes.push(...found.nodes);
    at = found.end;
  }
  flush();
  return nodes;
}

const START = /[\\`*_~|<[\nhm]/;

function tokenAt(text, at, rules) {
  const char = text[at];
  if (!START.test(char)) return null;
  if (char === '\n') return { nodes: [h('br')], end: at + 1 };
  if (char === '\\') return escaped(text, at, rules);
  if (char === '`') return code(text, at, rules);
  if (char === '<') return angle(text, at, rules);
  if (char === '[') return link(text, at, rules);
  if (char === 'h') return bareLink(text, at, rules);
  return emphasis(text, at, rules);
}

function escaped(text, at, { dialect }) {
  const next = text[at + 1];
  if (dialect === 'mrkdwn' || next === undefined || !/[!-/:-@[-`{-~]/.test(next)) return null;
  return { nodes: [document.createTextNode(next)], end: at + 2 };
}

function code(text, at, rules) {
  const ticks = /^`+/.exec(text.slice(at))[0];
  let end = text.indexOf(ticks, at + ticks.length);
  while (end !== -1 && (text[end + ticks.length] === '`' || text[end - 1] === '`'))
    end = text.indexOf(ticks, end + 1);
  if (end === -1) return { nodes: [document.createTextNode(ticks)], end: at + ticks.length };
  const content = text.slice(at + ticks.length, end).replace(/^ (.*[^ ].*) $/s, '$1');
  return { nodes: [h('code', {}, decode(content, rules))], end: end + ticks.length };
}

/** The pairs of marks, longest first, and what they make. */
const MARKS = {
  markdown: [
    ['***', ['strong', 'em']],
    ['**', ['strong']],
    ['__', ['strong']],
    ['~~', ['s']],
    ['*', ['em']],
    ['_', ['em']],
  ],
  discord: [
    ['***', ['strong', 'em']],
    ['**', ['strong']],
    ['__', ['u']],
    ['~~', ['s']],
    ['||', ['span.spoiler']],
    ['*', ['em']],
    ['_', ['em']],
  ],
  get file() {
    return this.markdown;
  },
  mrkdwn: [
    ['*', ['strong']],
    ['_', ['em']],
    ['~', ['s']],
  ],
};

function emphasis(text, at, rules) {
  for (const [mark, tags] of MARKS[rules.dialect] ?? []) {
    if (!text.startsWith(mark, at)) continue;
    const end = closing(text, at, mark, rules.dialect);
    if (end === -1) continue;
    const inner = inline(text.slice(at + mark.length, end), rules);
    const nested = tags.reduceRight((nodes, tag) => [h(tag, {}, ...nodes)], inner);
    return { nodes: nested, end: end + mark.length };
  }
  return null;
}

/** Where the mark that opens at `at` is closed again; -1 when it is no opening mark or is never closed. */
function closing(text, at, mark, dialect) {
  const isWord = (char) => char !== undefined && /[\p{L}\p{N}]/u.test(char);
  const wantsEdges = mark[0] === '_' || dialect === 'mrkdwn';
  if (/\s/.test(text[at + mark.length] ?? ' ')) return -1;
  if (wantsEdges && isWord(text[at - 1])) return -1;
  for (let end = at + mark.length + 1; end < text.length; end++) {
    if (text[end] === '\\') end++;
    else if (text.startsWith('\n\n', end)) return -1;
    else if (text[end] === '`') end = code(text, end, { dialect }).end - 1;
    else if (text.startsWith(mark, end) && !/\s/.test(text[end - 1])) {
      if (wantsEdges && isWord(text[end + mark.length])) continue;
      // A longer run closes something longer: `*a **b** c*`.
      if (text[end + mark.length] === mark[0] && mark.length < 3) {
        while (text[end + 1] === mark[0]) end++;
        continue;
      }
      return end;
    }
  }
  return -1;
}

function link(text, at, rules) {
  if (rules.dialect === 'mrkdwn' || rules.dialect === 'plain') return null;
  const length = rules.dialect === 'discord' ? discordLabel(text, at) : markdownLabel(text, at);
  if (length === 0 || text[at + length] !== '(') return null;
  const rest = text.slice(at + length);
  const target = TARGETS.map((form) => form.exec(rest)).find((found) => found !== null);
  const label = text.slice(at + 1, at + length - 1);
  const made = target && anchor(unescape(target[1]), inline(label, { ...rules, isLabel: true }), rules);
  return made ? { nodes: [made], end: at + length + target[0].length } : null;
}

const TARGETS = [
  /^\(<([^<>\n]+)>(?:\s+"[^"\n]*")?\)/,
  /^\(((?:\\.|\([^()\s]*\)|[^()\s\\])+)(?:\s+"[^"\n]*")?\)/,
];

/** Discord does not look for backslashes here: a label may hold `[…]`, and a `]` where another one follows. */
function discordLabel(text, at) {
  return /^\[(?:\[[^\]\n]*\]|[^[\]\n]|\](?=[^[\n]*\]))+\]/.exec(text.slice(at))?.[0].length ?? 0;
}

/** The length of a label with its brackets, 0 when it is not closed in this paragraph. */
function markdownLabel(text, at) {
  let depth = 0;
  for (let index = at; index < text.length; index++) {
    if (text[index] === '\\') index++;
    else if (text[index] === '[') depth++;
    else if (text[index] === ']' && --depth === 0) return index + 1 - at;
    else if (text.startsWith('\n\n', index)) return 0;
  }
  return 0;
}

function bareLink(text, at, rules) {
  if (rules.isLabel || /[\p{L}\p{N}]/u.test(text[at - 1] ?? '')) return null;
  const url = /^https?:\/\/[^\s<>]+[^\s<>.,:;!?'")\]*_~]/.exec(text.slice(at))?.[0];
  const made = url && anchor(decode(url, rules), [document.createTextNode(decode(url, rules))], rules);
  return made ? { nodes: [made], end: at + url.length } : null;
}

/** `<…>`: links, mentions and dates. */
function angle(text, at, rules) {
  const inside = /^<([^<>\n]+)>/.exec(text.slice(at));
  if (!inside) return null;
  const [target, ...labels] = inside[1].split('|');
  const label = labels.join('|');
  const made = special(target, label, rules) ?? linked(target, label, rules);
  return made && { nodes: [made], end: at + inside[0].length };
}

function special(target, label, { nameOf, dialect, me }) {
  if (dialect === 'file') return null;
  const mention = /^[@#][!&]?(\w+)$/.exec(target);
  if (mention) {
    const sign = target[0];
    const isMe = sign === '@' && mention[1] === me;
    return h(
      isMe ? 'span.mention.me' : 'span.mention',
      {},
      sign + (nameOf(mention[1]) ?? (label || mention[1])),
    );
  }
  const time = /^t:(\d+)(?::\w)?$/.exec(target) ?? /^!date\^(\d+)\^/.exec(target);
  if (time) {
    const date = new Date(Number(time[1]) * 1000);
    return h('time', { datetime: date.toISOString() }, date.toLocaleString());
  }
  if (/^!\w+/.test(target)) return h('span.mention', {}, `@${label || target.slice(1).split('^')[0]}`);
  return null;
}

function linked(target, label, rules) {
  const url = decode(target, rules);
  return anchor(url, [document.createTextNode(decode(label || target, rules))], rules);
}

/** A link that opens elsewhere and learns nothing of this page; null for anything but the web and mail. */
function anchor(url, children, { isLabel }) {
  if (isLabel || !URL.canParse(url) || !['http:', 'https:', 'mailto:'].includes(new URL(url).protocol))
    return null;
  const made = h('a', { href: url, target: '_blank', rel: 'noopener noreferrer', title: url }, ...children);
  const number = /^\[?(\d{1,3})\]?$/.exec(made.textContent ?? '');
  if (number) {
    made.className = 'cite';
    made.replaceChildren(number[1]);
    made.setAttribute('aria-label', `source ${number[1]}`);
  }
  return made;
}

function unescape(text) {
  return text.replace(/\\([!-/:-@[-`{-~])/g, '$1');
}

/** Slack escapes three characters, in code as well; Discord and files none. */
export function decode(text, { dialect }) {
  if (dialect !== 'markdown' && dialect !== 'mrkdwn') return text;
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
