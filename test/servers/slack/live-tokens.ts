/** Everything in outgoing Markdown that Slack would turn into a notification or something to click. */

/**
 * The live parts of a `markdown_text`, in order, outside code: `<!…>`, `<@…>`, `<#…>`, `<url>`, `<url|…>`, Markdown links
 * and images as a whole, and bare URLs. A backslash before `[` or `<` does not hide the URL inside.
 */
export function liveTokens(text: string): readonly string[] {
  return withoutCode(text).match(LIVE) ?? [];
}

const LIVE = new RegExp(
  [
    '<[!@#][^<>\\n]*>',
    '<(?:https?|mailto|tel|slack|ftp|file):[^<>\\n]*>',
    // A label may hold one level of brackets, a target one level of parentheses.
    '(?<!\\\\)!?\\[(?:\\\\.|\\[[^\\[\\]]*\\]|[^\\[\\]\\\\])*\\]\\((?:\\\\.|\\([^()\\n]*\\)|[^()\\n\\\\])+\\)',
    '\\b(?:https?|ftp|slack)://[^\\s<>)\\]]+',
    '\\bmailto:[^\\s<>)\\]]+',
  ].join('|'),
  'gi',
);

function withoutCode(text: string): string {
  const kept: string[] = [];
  let fence: string | null = null;
  for (const line of text.split('\n')) {
    const mark = /^ {0,3}(?:>\s?)*\s*(?:[-*+]\s+|\d+[.)]\s+)?(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence === null && mark !== undefined) {
      fence = mark;
    } else if (fence !== null) {
      const closing = /^[\s>]*(`{3,}|~{3,})\s*$/.exec(line)?.[1];
      if (closing !== undefined && closing[0] === fence[0] && closing.length >= fence.length) fence = null;
    } else {
      kept.push(line);
    }
  }
  return kept.join('\n').replace(/(?<![\\`])(`+)(?!`)(?:(?!\n\s*\n)[\s\S])*?(?<!`)\1(?!`)/g, ' ');
}
