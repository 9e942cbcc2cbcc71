import { EFFORTS, type Effort, type ProfileName, RESEARCH_PROFILE } from '../core/types.ts';
import { asRecord } from '../core/untrusted.ts';

/** What is sent upstream for one of the user-facing model names. */
export interface Profile {
  /** `model` on chat completions. */
  readonly name: ProfileName | typeof RESEARCH_PROFILE;
  /**
   * Fields of an Agent API request: exactly one of `model`, `models`, `preset` and `effort`, and whatever else that choice
   * needs. With a model the web search tool is always offered; presets bring their own search.
   */
  readonly agent: Readonly<Record<string, unknown>>;
  /** How much the Agent API reads when nothing else was asked for; null for its own default. */
  readonly agentContextSize: 'high' | null;
  /** What a person should know when the Agent API answers under this name; null when it is the same thing. */
  readonly agentNotice: string | null;
}

/** What the Agent API is sent by configuration. */
export type ProfileOverrides = Readonly<Partial<Record<Profile['name'], Pick<Profile, 'agent'>>>>;

/**
 * The profile of an answer. The Agent API has one model of Perplexity's own; its presets lead to other vendors' models and
 * change over time. By default all names stay with Perplexity and differ in how much is read; an own entry needs no notice
 * of ours.
 */
export function chooseProfile(overrides: ProfileOverrides, name: ProfileName): Profile {
  const isPlain = name === 'sonar';
  const notice = `${name} is not offered by this API: sonar answered, reading more of each page.`;
  const own = overrides[name]?.agent;
  return {
    name,
    agent: own ?? { model: 'perplexity/sonar' },
    agentContextSize: isPlain ? null : 'high',
    agentNotice: isPlain || own !== undefined ? null : notice,
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
  const agent = overrides[RESEARCH_PROFILE]?.agent;
  const isByEffort = agent !== undefined && EFFORTS.some((name) => isEntry(agent[name]));
  const chosen = isByEffort ? agent[effort] : agent;
  return {
    name: RESEARCH_PROFILE,
    agent: isEntry(chosen) ? chosen : RESEARCH_PRESETS[effort],
    agentContextSize: 'high',
    agentNotice: null,
  };
}

/** `{"effort":"high"}` is an entry; the string `high` under the name `effort` is none. */
function isEntry(value: unknown): value is Profile['agent'] {
  return asRecord(value) !== null;
}
