import {
  type AnswerOptions,
  EFFORTS,
  PROFILE_NAMES,
  type ProfileName,
  RECENCIES,
  type ResearchWish,
} from '../types.ts';

/** The parsed text of `/ask`: the question and its options, or one sentence that says what is wrong. */
export type ParsedAsk =
  | { readonly text: string; readonly overrides: AnswerOptions }
  | { readonly problem: string };

/** The parsed text of `/research`. */
export type ParsedResearch =
  | { readonly text: string; readonly overrides: AnswerOptions; readonly research: ResearchWish }
  | { readonly problem: string };

const MODES = ['web', 'academic', 'sec'] as const;
const NOTIFY = ['here', 'dm'] as const;
/** The API takes at most 20 domains. */
const MAX_DOMAINS = 20;

/** The defaults of a research job. */
export const DEFAULT_WISH: ResearchWish = { effort: 'medium', notify: 'here' };

/** The options parsed so far. */
interface Chosen {
  readonly overrides: AnswerOptions;
  readonly research: ResearchWish;
}

/** Adds the value of a flag to what is chosen; one sentence when the value is wrong. */
type Choose = (chosen: Chosen, value: string) => Chosen | string;

type Flags = Readonly<Record<string, Choose>>;

/** The flags that questions and research share. */
const SEARCH_FLAGS: Flags = {
  recent: oneOf('recent', RECENCIES, (chosen, recency) => override(chosen, { recency })),
  site: (chosen, value) => {
    const domains = [...(chosen.overrides.domains ?? []), value.toLowerCase()];
    return domains.length > MAX_DOMAINS
      ? `At most ${MAX_DOMAINS} --site values.`
      : override(chosen, { domains });
  },
};

const ASK_FLAGS: Flags = {
  ...SEARCH_FLAGS,
  model: (chosen, value) => {
    const resolved = resolveProfile(value);
    return resolved ? override(chosen, { profile: resolved.profile }) : reject('model', value, PROFILE_NAMES);
  },
  mode: oneOf('mode', MODES, (chosen, searchMode) => override(chosen, { searchMode })),
};

const RESEARCH_FLAGS: Flags = {
  ...SEARCH_FLAGS,
  effort: oneOf('effort', EFFORTS, ({ research, ...rest }, effort) => ({
    ...rest,
    research: { ...research, effort },
  })),
  notify: oneOf('notify', NOTIFY, ({ research, ...rest }, notify) => ({
    ...rest,
    research: { ...research, notify },
  })),
  model: () => 'Deep research has a model of its own: leave --model out.',
};

/**
 * Reads `--model`, `--recent`, `--site` (repeatable, `-host` excludes) and `--mode` at the start or the end of the text.
 * In the middle, and under any other name, they belong to the question ("what does `git commit --amend` do").
 */
export function parseAsk(text: string): ParsedAsk {
  const parsed = parse(text, ASK_FLAGS);
  return 'problem' in parsed ? parsed : { text: parsed.text, overrides: parsed.overrides };
}

/** Reads `--effort`, `--notify`, `--recent` and `--site` in the same way; there is one model for research. */
export function parseResearch(text: string): ParsedResearch {
  return parse(text, RESEARCH_FLAGS);
}

/** The reply to `/ask` without a question. */
export function askUsage(command: string): string {
  return [
    `Write your question after the command: ${command} what changed in TypeScript 7?`,
    `Optional, before or after it: --model ${PROFILE_NAMES.join('|')}  --recent ${RECENCIES.join('|')}  --site example.org  --mode ${MODES.join('|')}`,
  ].join('\n');
}

/** The reply to `/research` or `!research` without a question. */
export function researchUsage(command: string): string {
  return [
    `Write your question after the command: ${command} how do cities cool their streets?`,
    `Optional, before or after it: --effort ${EFFORTS.join('|')}  --notify ${NOTIFY.join('|')}  --recent ${RECENCIES.join('|')}  --site example.org`,
  ].join('\n');
}

function parse(text: string, flags: Flags): ParsedResearch {
  // Some clients replace a typed `--` by a dash.
  const flag = `(?:--|—|–)(${Object.keys(flags).join('|')})(?:\\s+|=)(\\S+)`;
  const leading = new RegExp(`^\\s*${flag}`);
  const trailing = new RegExp(`(?:^|\\s)${flag}\\s*$`);
  let rest = text;
  let chosen: Chosen = { overrides: {}, research: DEFAULT_WISH };
  for (;;) {
    const match = leading.exec(rest) ?? trailing.exec(rest);
    const choose = flags[match?.[1] ?? ''];
    if (!match || !choose) return { ...chosen, text: rest.trim() };
    const next = choose(chosen, match[2] ?? '');
    if (typeof next === 'string') return { problem: next };
    chosen = next;
    rest = rest.slice(0, match.index) + rest.slice(match.index + match[0].length);
  }
}

function oneOf<T extends string>(
  name: string,
  accepted: readonly T[],
  choose: (chosen: Chosen, value: T) => Chosen,
): Choose {
  return (chosen, typed) => {
    const value = accepted.find((one) => one === typed.toLowerCase());
    return value === undefined ? reject(name, typed, accepted) : choose(chosen, value);
  };
}

function override({ overrides, ...rest }: Chosen, options: AnswerOptions): Chosen {
  return { ...rest, overrides: { ...overrides, ...options } };
}

function reject(name: string, value: string, accepted: readonly string[]): string {
  return `I don't know --${name} ${value}. Accepted: ${accepted.join(', ')}.`;
}

/** A parsed list of sites, as the API takes them, or one sentence that says what is wrong. */
export type ParsedSites = { readonly domains: readonly string[] } | { readonly problem: string };

/** The API takes at most 20, of at most 253 characters. */
const MAX_SITES = 20;
const MAX_SITE = 253;
const SITE = /^-?[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:\/\S*)?$/;

/** Parses `a.org, -b.org`: host names separated by commas or spaces; a leading `-` excludes. Whole addresses are accepted too. */
export function parseSites(text: string): ParsedSites {
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
