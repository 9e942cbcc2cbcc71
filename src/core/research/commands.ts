import { formatElapsed } from '../answering/messages.ts';
import { questionText } from '../answering/prompt.ts';
import { plural } from '../answering/view.ts';
import type { JobsRequest, ResearchCommands } from '../ports.ts';
import { DIRECT_WORKSPACE, type Question } from '../types.ts';
import { formatState } from './card.ts';
import { reasonFor } from './notification.ts';
import type { Created, ResearchFilter, ResearchRecord } from './ports.ts';
import type { ResearchDeps } from './step.ts';
import { stopResearch, whenSettled } from './stop.ts';

export type ResearchCommandsDeps = Pick<ResearchDeps, 'researches' | 'log' | 'isAdmin' | 'hasAdmins' | 'now'>;

type Who = Omit<JobsRequest, 'action' | 'job'>;

const MAX_LISTED = 15;
const MAX_CHOICES = 25;
const MAX_LABEL = 100;
const MAX_START = 60;
/** A platform wants an answer to a command within 3 s. */
const STOP_PATIENCE_MS = 1_500;

/** Creates the commands: everybody sees and stops their own jobs, an admin those of the whole workspace. */
export function createResearchCommands(deps: ResearchCommandsDeps): ResearchCommands {
  return {
    async run(request) {
      if (request.action === 'list' || request.job === null) return listText(deps, request);
      const name = nameFrom(request.job);
      const [record] = await deps.researches.list({ ...visibleTo(deps, request), name }, 1);
      if (!record) return `I know no job ${name} of yours. List your jobs to see which there are.`;
      return request.action === 'stop' ? stopText(deps, request, record) : statusText(deps, record, request);
    },
    async choices(request, prefix) {
      const own = await deps.researches.list(ownOf(request), 200);
      const wanted = prefix.trim().toLowerCase();
      const matches = (record: ResearchRecord): boolean =>
        [record.name, record.name.slice(2), questionText(record.question)].some((text) =>
          text.toLowerCase().startsWith(wanted),
        );
      return own
        .filter(matches)
        .slice(0, MAX_CHOICES)
        .map((record) => ({ job: record.name, label: labelOf(record, deps.now()) }));
    },
  };
}

/** Accepts `r-4f2k`, `4F2K` and `R-4F2K`. */
function nameFrom(typed: string): string {
  return `R-${typed
    .trim()
    .toUpperCase()
    .replace(/^R-?(?=....)/, '')}`;
}

/** In direct messages a person's jobs of every workspace. */
function ownOf({ platform, workspace, person }: Who): ResearchFilter {
  const place = workspace === DIRECT_WORKSPACE ? {} : { workspace };
  return { platform, person: person.id, ...place };
}

function visibleTo({ isAdmin }: ResearchCommandsDeps, who: Who): ResearchFilter {
  // The workspace of direct messages belongs to everybody: admins see only their own jobs there.
  const seesAll = who.workspace !== DIRECT_WORKSPACE && isAdmin(who.platform, who.person.id);
  return seesAll ? { platform: who.platform, workspace: who.workspace } : ownOf(who);
}

async function listText(deps: ResearchCommandsDeps, who: Who): Promise<string> {
  const filter = visibleTo(deps, who);
  const found = await deps.researches.list(filter, MAX_LISTED + 1);
  if (found.length === 0)
    return 'No research jobs. Start one with /research, or by mentioning me: research: your question.';
  const isOwn = filter.person !== undefined;
  const lines = found.slice(0, MAX_LISTED).map((record) => jobLine(record, deps.now(), who));
  const more = found.length > MAX_LISTED ? ['Older ones are not shown.'] : [];
  return [
    isOwn ? 'Your research jobs, newest first:' : 'Research jobs here, newest first:',
    ...lines,
    ...more,
  ].join('\n');
}

/** Formats `R-4F2K · Researching · 3 min · “How do cities cool…”`, and a notification that did not arrive. */
function jobLine(record: ResearchRecord, now: number, { person, isOpen }: Who): string {
  const { asker } = record.question;
  const isOwn = asker.id === person.id;
  const parts = [formatState(record, now), ...(isOwn ? [] : [asker.name ?? asker.id])];
  // A question may have been asked in private: it is not repeated where others read the list.
  if (!isOpen) parts.push(quoteStart(record));
  const delivery = deliveryOf(record);
  return [...parts, ...(delivery ? [delivery] : [])].join(' · ');
}

/** Tells only what people cannot see for themselves. */
function deliveryOf({ notice }: ResearchRecord): string | null {
  if (notice === 'undeliverable') return 'nowhere to deliver it';
  return notice === 'unknown' ? 'may not have been announced' : null;
}

/** Quotes the beginning of the question. */
function quoteStart({ question }: ResearchRecord): string {
  const text = questionText(question).replaceAll(/\s+/g, ' ');
  return `“${text.length > MAX_START ? `${text.slice(0, MAX_START).trimEnd()}…` : text}”`;
}

function labelOf(record: ResearchRecord, now: number): string {
  const label = `${formatState(record, now)} · ${questionText(record.question).replaceAll(/\s+/g, ' ')}`;
  return label.length > MAX_LABEL ? `${label.slice(0, MAX_LABEL - 1)}…` : label;
}

function statusText(deps: ResearchCommandsDeps, record: ResearchRecord, who: Who): string {
  const { question, ending, begunAt } = record;
  const now = deps.now();
  const lines = [
    jobLine(record, now, who),
    `Asked ${formatElapsed(now - begunAt)} ago, ${question.research?.effort ?? 'medium'} effort.`,
  ];
  if (ending?.outcome === 'failed') lines.push(reasonFor(record, ending, deps.hasAdmins(question.platform)));
  return lines.join('\n');
}

/** The person sees only jobs that they may stop. */
async function stopText(
  deps: ResearchCommandsDeps,
  { person }: Who,
  record: ResearchRecord,
): Promise<string> {
  const problem = await stopResearch(deps, record, person);
  if (problem !== null) return problem;
  const stopped = (await whenSettled(deps, record.id, STOP_PATIENCE_MS)) ?? record;
  return formatState(stopped, deps.now());
}

const MAX_NAMED = 5;

/** Explains a refused job and lists the running ones. Other people's questions are not shown: they may be from another channel. */
export function refusalText(
  { by, running }: Extract<Created, { type: 'refused' }>,
  { asker }: Question,
  now: number,
): string {
  const isPerson = by === 'person';
  const count = plural(running.length, 'research job');
  const lines = running.slice(0, MAX_NAMED).map((record) => {
    const isOwn = record.question.asker.id === asker.id;
    const since = formatElapsed(now - record.begunAt);
    return [record.name, ...(isOwn ? [quoteStart(record)] : []), since].join(' · ');
  });
  return [
    `${isPerson ? `You have ${count}` : `There are ${count} here`} under way, and no more may run at once:`,
    ...lines,
    ...(running.length > MAX_NAMED ? [`and ${running.length - MAX_NAMED} more`] : []),
    isPerson ? 'Stop one, or ask again when one has finished.' : 'Ask again when one has finished.',
  ].join('\n');
}
