import { EFFORTS, type Effort, type ProfileName, RESEARCH_PROFILE } from '../core/types.ts';
import { asRecord } from '../core/untrusted.ts';

/** What is sent upstream for one of the user-facing model names. */
export interface Profile {
  /** `model` on chat completions. */
  readonly chatModel: string;
  /**
   * Fields of an Agent API request: exactly one of `model`, `models`, `preset` and `effort`, and whatever else that choice
   * needs. With a model the web search tool is always offered; presets bring their own search.
   */
  readonly agent: Readonly<Record<string, unknown>>;
  /** How much the Agent API reads when nothing else was asked for; null for its own default. */
  readonly agentContextSize: 'low' | 'medium' | 'high' | null;
  /** What a person should know when the Agent API answers under this name; null when it is the same thing. */
  readonly agentNotice: string | null;
}

export type Profiles = Readonly<Record<ProfileName, Profile>>;
export type ProfileOverrides = Readonly<
  Partial<Record<ProfileName | typeof RESEARCH_PROFILE, Partial<Profile>>>
>;

/**
 * The Agent API has one model of Perplexity's own; its presets lead to other vendors' models and change over time. By
 * default all names stay with Perplexity and differ in how much is read; configuration can choose presets instead.
 */
const DEFAULTS: Profiles = {
  sonar: {
    chatModel: 'sonar',
    agent: { model: 'perplexity/sonar' },
    agentContextSize: null,
    agentNotice: null,
  },
  'sonar-pro': {
    chatModel: 'sonar-pro',
    agent: { model: 'perplexity/sonar' },
    agentContextSize: 'high',
    agentNotice: 'sonar-pro is not offered by this API: sonar answered, reading more of each page.',
  },
  'sonar-reasoning-pro': {
    chatModel: 'sonar-reasoning-pro',
    agent: { model: 'perplexity/sonar' },
    agentContextSize: 'high',
    agentNotice: 'sonar-reasoning-pro is not offered by this API: sonar answered, reading more of each page.',
  },
};

/** The table with what configuration changes in it, field by field. An own `agent` entry needs no notice of ours. */
export function createProfiles(overrides: ProfileOverrides): Profiles {
  const entry = (name: ProfileName): Profile => {
    const own = overrides[name] ?? {};
    const notice = own.agent === undefined ? {} : { agentNotice: null };
    return { ...DEFAULTS[name], ...notice, ...own };
  };
  return {
    sonar: entry('sonar'),
    'sonar-pro': entry('sonar-pro'),
    'sonar-reasoning-pro': entry('sonar-reasoning-pro'),
  };
}

/**
 * What the Agent API is asked for in place of `sonar-deep-research`. Perplexity's own advice names `medium` (July 2026),
 * `high` (October 2026), and `xhigh` where nothing but quality counts.
 */
const RESEARCH_PRESETS: Readonly<Record<Effort, Profile['agent']>> = {
  low: { preset: 'medium' },
  medium: { preset: 'high' },
  high: { preset: 'xhigh' },
};

/**
 * The profile of a research job. Configuration may give one `agent` entry for every effort, or one for each under the
 * efforts' names.
 */
export function chooseResearchProfile(overrides: ProfileOverrides, effort: Effort): Profile {
  const { agent, ...own } = overrides[RESEARCH_PROFILE] ?? {};
  const byEffort = agent !== undefined && EFFORTS.some((name) => isEntry(agent[name])) ? agent : null;
  const chosen = byEffort === null ? agent : byEffort[effort];
  return {
    chatModel: RESEARCH_PROFILE,
    agent: isEntry(chosen) ? chosen : RESEARCH_PRESETS[effort],
    agentContextSize: 'high',
    agentNotice: null,
    ...own,
  };
}

/** `{"effort":"high"}` is an entry; the string `high` under the name `effort` is none. */
function isEntry(value: unknown): value is Profile['agent'] {
  return asRecord(value) !== null;
}
