import { PROFILE_NAMES, type ProfileName } from './types.ts';

export interface ResolvedProfile {
  readonly profile: ProfileName;
  /** Said to the person when the name stands for another one now. */
  readonly notice: string | null;
}

/** Finds the profile for a model name as a person or a configuration writes it; null when there is none. */
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
