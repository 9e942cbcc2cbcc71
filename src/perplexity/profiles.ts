import type { ProfileName } from '../core/types.ts';

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
export type ProfileOverrides = Readonly<Partial<Record<ProfileName, Partial<Profile>>>>;

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
export function profilesWith(overrides: ProfileOverrides): Profiles {
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
