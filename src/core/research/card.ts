import { questionText } from '../composing.ts';
import { elapsed, sayWhen } from '../explaining.ts';
import type { AnswerOptions, Button, View } from '../types.ts';
import type { ResearchRecord } from './ports.ts';
import { isLive } from './run.ts';
import { keptUntil } from './timing.ts';

/** What stands in a card beside the record itself. */
export interface CardFacts {
  /** What limits the search. */
  readonly options: AnswerOptions;
  /** `usually 3–8 min`. */
  readonly usually: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const LONGEST_QUESTION = 300;

/** The card of a research job: the question, where it stands, and Stop while there is something to stop. Never a step we do not know of. */
export function cardView(record: ResearchRecord, facts: CardFacts): View {
  const live = isLive(record);
  const stop: Button = { action: 'stop', label: 'Stop', question: record.id };
  const scope = scopeOf(record, facts);
  return {
    state: 'done',
    status: '',
    text: quoted(questionText(record.question)),
    sources: [],
    notices: [
      stateLine(record, facts.now),
      ...(record.remark ? [record.remark] : []),
      ...(live && record.isLateTold ? [lateLine(record)] : []),
    ],
    footer: live ? [...scope, facts.usually].join(' · ') : scope.join(' · '),
    buttons: live ? [stop] : [],
  };
}

/** `R-4F2K · Researching · 3 min`: one line on where a job stands. */
export function stateLine(record: ResearchRecord, now: number): string {
  const { name, ending, begunAt, endedAt, isCancelled } = record;
  const took = elapsed((endedAt ?? now) - begunAt);
  if (!ending) {
    const isRunning = record.state === 'running' && record.phase === 'running';
    return isRunning ? `${name} · Researching · ${took}` : `${name} · Queued`;
  }
  if (ending.outcome === 'done') return `${name} · Done in ${took}`;
  if (ending.outcome === 'failed') return `⚠ ${name} · Failed after ${took}`;
  const why = ending.reason === 'deleted' ? ' The question was deleted.' : stoppedBy(record);
  if (isCancelled === null) return `⏹ Stopping ${name}.${why}`;
  if (isCancelled) return `⏹ Cancelled ${name}.${why}`;
  return `⏹ Stopped watching ${name}.${why} It cannot be cancelled upstream, so it may still be billed.`;
}

/** Names who stopped it unless that was the asker. */
function stoppedBy({ ending, question }: ResearchRecord): string {
  if (ending?.outcome !== 'stopped' || !ending.by || ending.by.id === question.asker.id) return '';
  return ` By ${ending.by.name ?? 'an admin'}.`;
}

/** Said once, when a job has passed its deadline. */
export function lateLine({ name, submittedAt, begunAt }: ResearchRecord): string {
  const until = sayWhen(keptUntil(submittedAt ?? begunAt));
  return `${name} is still running at Perplexity. I keep looking, once an hour, until ${until}.`;
}

function scopeOf({ question }: ResearchRecord, { options }: CardFacts): string[] {
  const parts = ['Deep research', `${question.research?.effort ?? 'medium'} effort`];
  if (options.recency) parts.push(`past ${options.recency} only`);
  if (options.domains && options.domains.length > 0) parts.push(`limited to ${options.domains.join(', ')}`);
  return parts;
}

function quoted(text: string): string {
  const short = text.length > LONGEST_QUESTION ? `${text.slice(0, LONGEST_QUESTION).trimEnd()}…` : text;
  return short
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n');
}
