/** What the marks in a message stand for; null where that is not known, or not for everybody here to know. */
export interface Names {
  readonly person: (id: string) => string | null;
  readonly role: (id: string) => string | null;
  readonly channel: (id: string) => string | null;
}

/** In code Discord shows the bare characters and notifies nobody. */
const CODE = '```[\\s\\S]*?```|``[^\\n]*?``|`[^`\\n]*`';

const MARKS = new RegExp(
  [
    CODE,
    '<(?<sign>@!?|@&|#)(?<id>\\d+)>',
    '<a?(?<emoji>:\\w+:)\\d+>',
    '<(?<command>/[^<:>]{1,100}):\\d+>',
    '<t:(?<seconds>-?\\d{1,12})(?::[a-zA-Z])?>',
    '<id:(?<place>\\w+)>',
  ].join('|'),
  'g',
);

/** Turns Discord's mark-up into words, outside of code: `<@1>` → `@Ada`, `<:ok:1>` → `:ok:`, `<t:0>` → a date in UTC. */
export function decodeMarkup(content: string, names: Names): string {
  const decode = (code: string, ...found: readonly unknown[]): string => {
    // The named groups are the last argument.
    const { sign, id = '', emoji, command, seconds, place } = found.at(-1) as Record<string, string>;
    if (sign === '#') return `#${names.channel(id) ?? 'channel'}`;
    if (sign === '@&') return `@${names.role(id)?.replace(/^@/, '') ?? 'role'}`;
    if (sign) return `@${names.person(id) ?? 'someone'}`;
    if (seconds) return formatDate(Number(seconds) * 1000) ?? '';
    return emoji ?? command ?? place ?? code;
  };
  return cleanText(content).replace(MARKS, decode).trim();
}

/** The text without its code. */
export function withoutCode(content: string): string {
  return content.replace(new RegExp(CODE, 'g'), ' ');
}

/** Removes what Postgres refuses to store: NUL, and surrogates without their other half. */
export function cleanText(text: string): string {
  return text.replaceAll('\u0000', '').toWellFormed();
}

/** A moment in UTC, to the minute; null for none that there is. */
export function formatDate(ms: number): string | null {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? null : date.toISOString().slice(0, 16).replace('T', ' ');
}
