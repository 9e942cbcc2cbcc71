import {
  type AnswerOptions,
  EFFORTS,
  PROFILE_NAMES,
  type ProfileName,
  RECENCIES,
  type ResearchWish,
} from '../types.ts';

interface Problem {
  /** One sentence that says what is wrong. */
  readonly problem: string;
}

/** The parsed text of `/ask`: the question and its options. */
export type ParsedAsk = { readonly text: string; readonly overrides: AnswerOptions } | Problem;

/** The parsed text of `/research`. */
export type ParsedResearch =
  | { readonly text: string; readonly overrides: AnswerOptions; readonly research: ResearchWish }
  | Problem;

/** The values that each option takes. */
const ACCEPTED = {
  model: PROFILE_NAMES,
  recent: RECENCIES,
  mode: ['web', 'academic', 'sec'],
  effort: EFFORTS,
  notify: ['here', 'dm'],
} as const;

type Option = keyof typeof ACCEPTED;

/** The defaults of a research job. */
export const DEFAULT_WISH: ResearchWish = { effort: 'medium', notify: 'here' };

/** The options parsed so far. */
type Chosen = AnswerOptions & Partial<ResearchWish>;

/** Reads the value of a flag. */
type Read = (value: string, chosen: Chosen) => Chosen | Problem;

type Flags = Readonly<Record<string, Read>>;

/** The flags that questions and research share. */
const SEARCH_FLAGS: Flags = {
  recent: oneOf('recent', (recency) => ({ recency })),
  site: (value, { domains = [] }) => parseSites([...domains, value].join(' ')),
};

const ASK_FLAGS: Flags = {
  ...SEARCH_FLAGS,
  model: (value) => {
    const resolved = resolveProfile(value);
    return resolved ? { profile: resolved.profile } : reject('model', value);
  },
  mode: oneOf('mode', (searchMode) => ({ searchMode })),
};

const RESEARCH_FLAGS: Flags = {
  ...SEARCH_FLAGS,
  effort: oneOf('effort', (effort) => ({ effort })),
  notify: oneOf('notify', (notify) => ({ notify })),
  model: () => ({ problem: 'Deep research has a model of its own: leave --model out.' }),
};

/**
 * Reads `--model`, `--recent`, `--site` (repeatable, `-host` excludes) and `--mode` at the start or the end of the text.
 * In the middle, and under any other name, they belong to the question ("what does `git commit --amend` do").
 */
export function parseAsk(text: string): ParsedAsk {
  const parsed = parse(text, ASK_FLAGS);
  return 'problem' in parsed ? parsed : { text: parsed.text, overrides: parsed.chosen };
}

/** Reads `--effort`, `--notify`, `--recent` and `--site` in the same way; there is one model for research. */
export function parseResearch(text: string): ParsedResearch {
  const parsed = parse(text, RESEARCH_FLAGS);
  if ('problem' in parsed) return parsed;
  const { effort = DEFAULT_WISH.effort, notify = DEFAULT_WISH.notify, ...overrides } = parsed.chosen;
  return { text: parsed.text, overrides, research: { effort, notify } };
}

/** The reply to `/ask` without a question. */
export function askUsage(command: string): string {
  return usage(`${command} what changed in TypeScript 7?`, ['model', 'recent', 'mode']);
}

/** The reply to `/research` or `!research` without a question. */
export function researchUsage(command: string): string {
  return usage(`${command} how do cities cool their streets?`, ['effort', 'notify', 'recent']);
}

function usage(example: string, options: readonly Option[]): string {
  const flags = options.map((option) => `--${option} ${ACCEPTED[option].join('|')}`);
  return [
    `Write your question after the command: ${example}`,
    `Optional, before or after it: ${[...flags, '--site example.org'].join('  ')}`,
  ].join('\n');
}

function parse(text: string, flags: Flags): { readonly text: string; readonly chosen: Chosen } | Problem {
  // Some clients replace a typed `--` by a dash.
  const flag = `(?:--|—|–)(${Object.keys(flags).join('|')})(?:\\s+|=)(\\S+)`;
  const leading = new RegExp(`^\\s*${flag}`);
  const trailing = new RegExp(`(?:^|\\s)${flag}\\s*$`);
  let rest = text;
  let chosen: Chosen = {};
  for (;;) {
    const match = leading.exec(rest) ?? trailing.exec(rest);
    const read = flags[match?.[1] ?? ''];
    if (!match || !read) return { text: rest.trim(), chosen };
    const next = read(match[2] ?? '', chosen);
    if ('problem' in next) return next;
    chosen = { ...chosen, ...next };
    rest = rest.slice(0, match.index) + rest.slice(match.index + match[0].length);
  }
}

function oneOf<O extends Option>(option: O, choose: (value: (typeof ACCEPTED)[O][number]) => Chosen): Read {
  const accepted: readonly (typeof ACCEPTED)[O][number][] = ACCEPTED[option];
  return (typed) => {
    const value = accepted.find((one) => one === typed.toLowerCase());
    return value === undefined ? reject(option, typed) : choose(value);
  };
}

function reject(option: Option, value: string): Problem {
  return { problem: `I don't know --${option} ${value}. Accepted: ${ACCEPTED[option].join(', ')}.` };
}

/** The API takes at most 20, of at most 253 characters. */
const MAX_SITES = 20;
const MAX_SITE = 253;
const SITE = /^-?[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:\/\S*)?$/;

/** Parses `a.org, -b.org`: host names separated by commas or spaces; a leading `-` excludes. Whole addresses are accepted too. */
export function parseSites(text: string): { readonly domains: readonly string[] } | Problem {
  const sites = text
    .split(/[\s,;]+/)
    .map((site) =>
      site
        .toLowerCase()
        .replace(/^(-?)https?:\/\//, '$1')
        .replace(/\/+$/, ''),
    )
    .filter((site) => site !== '');
  const wrong = sites.find((site) => site.length > MAX_SITE || !SITE.test(site));
  if (wrong !== undefined)
    return { problem: `"${wrong.slice(0, 60)}" is no site. Write them as example.org, -example.com.` };
  const domains = [...new Set(sites)];
  return domains.length <= MAX_SITES ? { domains } : { problem: `At most ${MAX_SITES} sites.` };
}

export interface ResolvedProfile {
  readonly profile: ProfileName;
  /** Tells the person that the name now stands for another model. */
  readonly notice: string | null;
}

/** Finds the profile for a model name from a person or a configuration; null when it is unknown. */
export function resolveProfile(name: string): ResolvedProfile | null {
  const wanted = name
    .trim()
    .toLowerCase()
    .replace(/^perplexity\//, '');
  const known = PROFILE_NAMES.find((profile) => profile === wanted);
  if (known) return { profile: known, notice: null };
  if (wanted !== 'sonar-reasoning') return null;
  return {
    profile: 'sonar-reasoning-pro',
    notice: 'sonar-reasoning no longer exists: sonar-reasoning-pro answers instead.',
  };
}
