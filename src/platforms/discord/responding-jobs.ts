import { sleep } from '../../core/concurrency.ts';
import type { JobChoice, ResearchCommands } from '../../core/ports.ts';
import { discordMarkdown } from '../../markdown/dialects.ts';
import { escapeText } from '../../markdown/text.ts';
import { alone, CALLBACK, type CallbackDeps, call, fill, SLOW_AFTER_MS, sayMore } from './callbacks.ts';
import { clipText } from './clipping.ts';
import type { Interaction } from './interactions.ts';
import { EPHEMERAL } from './messages.ts';

export interface JobsDeps {
  /** Null where research is not offered. */
  readonly desk: ResearchCommands | null;
}

type Deps = CallbackDeps & JobsDeps;

const UNAVAILABLE = 'I cannot look at the jobs right now. Please try again in a moment.';

/** Answers `/jobs` to its person alone. @throws {Failure} */
export async function respondToJobs(
  deps: Deps,
  interaction: Extract<Interaction, { type: 'jobs' }>,
): Promise<void> {
  const said = askDesk(deps, interaction);
  const quick = await Promise.race([said, sleep(SLOW_AFTER_MS).then(() => null)]);
  if (quick === null) await call(deps, interaction, CALLBACK.deferred, { flags: EPHEMERAL });
  const [first = '', ...more] = pagesOf(await said);
  if (quick === null) await fill(deps, interaction, first);
  else await call(deps, interaction, CALLBACK.message, alone(first));
  await sayMore(deps, interaction, more);
}

async function askDesk(
  { desk, log }: Deps,
  { request }: Extract<Interaction, { type: 'jobs' }>,
): Promise<string> {
  try {
    return (await desk?.run(request)) || UNAVAILABLE;
  } catch (error) {
    log.error({ err: error }, 'no word about research jobs');
    return UNAVAILABLE;
  }
}

/** Discord takes at most 25 choices of 1 to 100 characters, within 3 s and without a way to ask for more time. */
const MOST_CHOICES = 25;
const LONGEST_CHOICE = 100;

/** Completes what somebody types with their own jobs; with nothing when that takes too long or fails. @throws {Failure} */
export async function suggestJobs(
  deps: Deps,
  interaction: Extract<Interaction, { type: 'typing' }>,
): Promise<void> {
  const found = await Promise.race([choicesFor(deps, interaction), sleep(SLOW_AFTER_MS).then(() => [])]);
  const choices = found.slice(0, MOST_CHOICES).map(({ job, label }) => ({
    name: clipText(label, LONGEST_CHOICE).trim() || job,
    value: job,
  }));
  await call(deps, interaction, CALLBACK.choices, { choices });
}

async function choicesFor(
  { desk, log }: Deps,
  { who, typed }: Extract<Interaction, { type: 'typing' }>,
): Promise<readonly JobChoice[]> {
  try {
    return (await desk?.choices(who, typed.trim())) ?? [];
  } catch (error) {
    log.warn({ err: error }, 'research jobs could not be offered');
    return [];
  }
}

/** Plain text as messages, split between lines; a line longer than a message is cut. */
function pagesOf(text: string): readonly string[] {
  const { measure, softLimit } = discordMarkdown;
  const pages: string[] = [];
  for (const line of escapeText(discordMarkdown, text).split('\n')) {
    const last = pages.at(-1);
    const joined = `${last}\n${line}`;
    if (last !== undefined && measure(joined) <= softLimit) pages.splice(-1, 1, joined);
    else pages.push(clipText(line, softLimit));
  }
  return pages;
}
