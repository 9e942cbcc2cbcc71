/** The names of people, looked up once and kept for some hours. */
import { Failure } from '../../core/failures.ts';
import type { Log } from '../../core/ports.ts';
import type { SlackClient } from './client.ts';
import { cleanText } from './decode-text.ts';
import type { RateLimits } from './limits.ts';

const KEPT_MS = 6 * 60 * 60_000;
/** After a failure the same name is not asked for again at once. */
const KEPT_AFTER_FAILURE_MS = 60_000;
/** The scope may be granted while we run. */
const PAUSE_WITHOUT_SCOPE_MS = 10 * 60_000;
const MAX_KEPT = 5_000;
/** One message may mention hundreds: so many names are looked up at once for next time. */
const MAX_LOOK_UPS = 10;
const MAX_NAME = 80;

interface Deps {
  readonly client: SlackClient;
  readonly limits: RateLimits;
  readonly log: Log;
}

/** The names of the people in one workspace, as `users.info` gives them (scope `users:read`). */
export class Names {
  readonly #deps: Deps;
  readonly #kept = new Map<string, { readonly name: string | null; readonly until: number }>();
  readonly #lookUps = new Map<string, Promise<string | null>>();
  #pausedUntil = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** The name if it is known; one that is not is looked up for next time. */
  known(person: string): string | null {
    const found = this.#find(person);
    if (found === undefined && this.#lookUps.size < MAX_LOOK_UPS) void this.lookUp(person);
    return found ?? null;
  }

  /** The name, looked up where it is not known. Null when Slack does not say it, or not now; never throws. */
  async lookUp(person: string): Promise<string | null> {
    const found = this.#find(person);
    if (found !== undefined) return found;
    const running = this.#lookUps.get(person);
    if (running) return running;
    const isPaused = performance.now() < this.#pausedUntil;
    if (isPaused || this.#deps.limits.of('users.info').free() === 0) return null;
    const asking = this.#ask(person).finally(() => this.#lookUps.delete(person));
    this.#lookUps.set(person, asking);
    return asking;
  }

  async #ask(person: string): Promise<string | null> {
    try {
      const name = await askForName(this.#deps, person);
      this.#keep(person, name, KEPT_MS);
      return name;
    } catch (error) {
      const { kind, code } = error instanceof Failure ? error : {};
      const isScopeMissing = code === 'missing_scope';
      // Of somebody who is not there, or may not be seen, there will be no name.
      const isLasting = kind === 'undeliverable' && !isScopeMissing;
      this.#keep(person, null, isLasting ? KEPT_MS : KEPT_AFTER_FAILURE_MS);
      if (isScopeMissing) this.#pause();
      else this.#deps.log.debug({ err: error }, 'could not look up a name');
      return null;
    }
  }

  #pause(): void {
    if (this.#pausedUntil === 0)
      this.#deps.log.warn({}, 'people have no names: the Slack app lacks the scope users:read');
    this.#pausedUntil = performance.now() + PAUSE_WITHOUT_SCOPE_MS;
  }

  #find(person: string): string | null | undefined {
    const entry = this.#kept.get(person);
    return entry && entry.until > performance.now() ? entry.name : undefined;
  }

  #keep(person: string, name: string | null, forMs: number): void {
    this.#kept.delete(person);
    this.#kept.set(person, { name, until: performance.now() + forMs });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }
}

/** The name that Slack shows for somebody. @throws {Failure} */
async function askForName({ client, limits }: Deps, user: string): Promise<string | null> {
  const info = await limits.call('users.info', () => client.users.info({ user }), 'progress');
  const { profile, real_name, name } = info.user ?? {};
  const shown = profile?.display_name || profile?.real_name || real_name || name || '';
  return cleanText(shown.replaceAll(/\s+/g, ' ').trim().slice(0, MAX_NAME)) || null;
}
