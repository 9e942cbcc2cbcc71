/**
 * What a platform's client would make of a message, written from the platforms' side: nothing here knows how we render.
 */

/** The message without code, escapes taken as one plain character (U+FFFC). */
function withoutCode(name: string, text: string): string {
  return name === 'discord' ? withoutDiscordCode(text) : withoutSlackCode(text);
}

/** Discord's client takes what comes first: an escape, a block of code (never an empty one), code in a line. */
function withoutDiscordCode(text: string): string {
  const code = /```(?:[a-z0-9_+\-.#]+?\n)?\n*[^\n][^]*?\n*```|(`+)[^]*?[^`]\1(?!`)/iy;
  let result = '';
  for (let i = 0; i < text.length; ) {
    code.lastIndex = i;
    const found = code.exec(text);
    if (/^\\[!-/:-@[-`{-~]/.test(text.slice(i, i + 2))) {
      result += '\ufffc';
      i += 2;
    } else {
      result += found === null ? text.charAt(i) : '\ufffd';
      i += found === null ? 1 : found[0].length;
    }
  }
  return result;
}

function withoutSlackCode(text: string): string {
  const lines: string[] = [];
  let isInside = false;
  for (const line of text.split('\n')) {
    if (/^[ >]*(?:- )?```/.test(line)) {
      isInside = !isInside;
      lines.push('');
    } else lines.push(isInside ? '' : line);
  }
  return lines.map(inlineWithoutCode).join('\n');
}

function inlineWithoutCode(line: string): string {
  let result = '';
  for (let i = 0; i < line.length; ) {
    const run = /^`+/.exec(line.slice(i))?.[0];
    if (line.charAt(i) === '\\' && /[!-/:-@[-`{-~]/.test(line.charAt(i + 1))) {
      result += '\ufffc';
      i += 2;
    } else if (run !== undefined) {
      const end = new RegExp(`(?<!\`)${run}(?!\`)`).exec(line.slice(i + run.length));
      result += end === null ? run : '\ufffd';
      i += end === null ? run.length : run.length + end.index + run.length;
    } else {
      result += line.charAt(i);
      i += 1;
    }
  }
  return result;
}

const TARGET = /\[(?:[^[\]]|\[[^[\]]*\])*\]\(<?([^\s()<>]*)>?\)/g;

/** The addresses a reader could click, wherever they lead. */
export function clickable(name: string, text: string): readonly string[] {
  const shown = withoutCode(name, text);
  const found = [...shown.matchAll(TARGET)].map((match) => match[1] ?? '');
  const rest = shown.replace(TARGET, '');
  found.push(
    ...(rest.match(/(?:https?|steam|discord):\/\/\S+|(?:mailto|tel|javascript):[\p{L}\p{N}]\S*/giu) ?? []),
  );
  found.push(...(rest.match(/discord\.gg\/\w+/gi) ?? []));
  if (name === 'slack') {
    found.push(...(rest.match(/[\p{L}\p{N}_-]+\.(?:com|net|org|io|gg|example)\b/giu) ?? []));
    found.push(...(rest.match(/^\s*\[[^\]]*\]:.*/gm) ?? []));
    found.push(...(text.match(/<[^>]*>?/g) ?? []));
  }
  return found;
}

/** Citations a reader could click: what their number says and where they lead. */
export function citations(name: string, text: string): readonly { number: number; address: string }[] {
  const pattern = name === 'slack' ? /\[(\d+)\]\(([^()\s]*)\)/g : /\[\[(\d+)\]\]\(<([^<>\s]*)>\)/g;
  return [...withoutCode(name, text).matchAll(pattern)].map((found) => ({
    number: Number(found[1]),
    address: found[2] ?? '',
  }));
}

/** Links that are begun and not ended. */
export function brokenLinks(name: string, text: string): readonly string[] {
  return (
    withoutCode(name, text)
      .replace(TARGET, '')
      .match(/\]\([^)\n]*/g) ?? []
  );
}

/** Rows of a table that are begun and not ended. */
export function brokenRows(text: string): readonly string[] {
  return withoutSlackCode(text)
    .split('\n')
    .filter((line) => /^(?:> )*\|/.test(line) && !line.endsWith('|'));
}

/** Tokens that ping, or that a client draws as something else than text. */
export function liveTokens(name: string, text: string): readonly string[] {
  const shown = name === 'slack' ? text : withoutCode(name, text);
  return (
    shown
      .match(/@(?:everyone|here|channel)\b(?!\u200b)|<[@#!/][^>]*>|<(?:t|id):[^>]*>|<a?:\w+:\d+>/gi)
      ?.filter((token) => name === 'discord' || token.startsWith('<')) ?? []
  );
}

/** Inline marks that are open at the end of their line block; only meaningful where every literal mark is escaped. */
export function openMarks(text: string): readonly string[] {
  const shown = withoutCode('discord', text).replace(TARGET, 'link');
  const open: string[] = [];
  if ((shown.match(/\*\*/g)?.length ?? 0) % 2 === 1) open.push('**');
  if ((shown.match(/~~/g)?.length ?? 0) % 2 === 1) open.push('~~');
  if (/`/.test(shown)) open.push('`');
  return open;
}

/** Whether every code block of a message is closed. */
export function fencesClosed(text: string): boolean {
  return text.split('\n').filter((line) => /^[ >]*(?:- )?```/.test(line)).length % 2 === 0;
}
