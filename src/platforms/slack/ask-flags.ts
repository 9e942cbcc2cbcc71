import { resolveProfile } from '../../core/profiles.ts';
import { type AnswerOptions, PROFILE_NAMES, RECENCIES } from '../../core/types.ts';

/** `/ask` text taken apart: the question and what was chosen for it, or one sentence on what is wrong. */
export type ParsedAsk =
  | { readonly text: string; readonly overrides: AnswerOptions }
  | { readonly problem: string };

const MODES = ['web', 'academic', 'sec'] as const;
/** The API takes at most 20 domains. */
const MOST_DOMAINS = 20;

// Some clients turn a typed `--` into a dash.
const LEADING_FLAG = /^\s*(?:--|—|–)(model|recent|site|mode)(?:\s+|=)(\S+)/;
const TRAILING_FLAG = /(?:^|\s)(?:--|—|–)(model|recent|site|mode)(?:\s+|=)(\S+)\s*$/;

/**
 * Reads `--model`, `--recent`, `--site` (repeatable, `-host` excludes) and `--mode` at the start or the end of the text.
 * In the middle, and under any other name, they belong to the question ("what does `git commit --amend` do").
 */
export function parseAsk(text: string): ParsedAsk {
  let rest = text;
  let overrides: AnswerOptions = {};
  for (;;) {
    const match = LEADING_FLAG.exec(rest) ?? TRAILING_FLAG.exec(rest);
    if (!match) return { text: rest.trim(), overrides };
    const [whole, name = '', value = ''] = match;
    const next = withFlag(overrides, name, value);
    if (typeof next === 'string') return { problem: next };
    overrides = next;
    rest = rest.slice(0, match.index) + rest.slice(match.index + whole.length);
  }
}

/** What `/ask` alone answers. */
export function askUsage(command: string): string {
  return [
    `Write your question after the command: ${command} what changed in TypeScript 7?`,
    `Optional, before or after it: --model ${PROFILE_NAMES.join('|')}  --recent ${RECENCIES.join('|')}  --site example.org  --mode ${MODES.join('|')}`,
  ].join('\n');
}

function withFlag(overrides: AnswerOptions, name: string, value: string): AnswerOptions | string {
  if (name === 'model') {
    const resolved = resolveProfile(value);
    return resolved ? { ...overrides, profile: resolved.profile } : wrong(name, value, PROFILE_NAMES);
  }
  if (name === 'recent') {
    const recency = RECENCIES.find((recency) => recency === value.toLowerCase());
    return recency ? { ...overrides, recency } : wrong(name, value, RECENCIES);
  }
  if (name === 'mode') {
    const searchMode = MODES.find((mode) => mode === value.toLowerCase());
    return searchMode ? { ...overrides, searchMode } : wrong(name, value, MODES);
  }
  const domains = [...(overrides.domains ?? []), value.toLowerCase()];
  return domains.length <= MOST_DOMAINS
    ? { ...overrides, domains }
    : `At most ${MOST_DOMAINS} --site values.`;
}

function wrong(name: string, value: string, accepted: readonly string[]): string {
  return `I don't know --${name} ${value}. Accepted: ${accepted.join(', ')}.`;
}
