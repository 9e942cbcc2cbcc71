import type { JobsRequest } from '../ports.ts';
import type { AnswerOptions, ResearchWish } from '../types.ts';
import { parseResearch, researchUsage } from './options.ts';

/** What a message asks for instead of an answer; `say` is a private reply. */
export type Command =
  | {
      readonly type: 'research';
      readonly text: string;
      readonly overrides: AnswerOptions;
      readonly research: ResearchWish;
    }
  | ({ readonly type: 'jobs' } & Pick<JobsRequest, 'action' | 'job'>)
  | { readonly type: 'help' }
  | { readonly type: 'say'; readonly text: string };

const KNOWN = 'I know !research <question>, !jobs [status|stop R-…] and !help.';
const JOBS_USAGE = 'Write !jobs, !jobs status R-… or !jobs stop R-….';

/**
 * Parses `research: question`, `!research [flags] question`, `!jobs …` and `!help` in a message without its mention: slash
 * commands do not work in Slack's threads. Null means a question: a `!` elsewhere, or an unknown `!name` followed by text, is
 * part of one.
 */
export function parseCommand(text: string): Command | null {
  const trimmed = text.trim();
  const colon = /^research\s*:\s*([\s\S]*)$/i.exec(trimmed);
  if (colon) return research(colon[1] ?? '', 'research:');
  const bang = /^!([a-z]+)(?:\s+([\s\S]*))?$/i.exec(trimmed);
  if (!bang) return null;
  const [, name = '', rest = ''] = bang;
  switch (name.toLowerCase()) {
    case 'research':
      return research(rest, '!research');
    case 'jobs':
      return jobs(rest.trim());
    case 'help':
      return rest === '' ? { type: 'help' } : null;
    default:
      return rest.trim() === '' ? { type: 'say', text: `I don't know !${name}. ${KNOWN}` } : null;
  }
}

function research(text: string, command: string): Command {
  const parsed = parseResearch(text);
  if ('problem' in parsed) return { type: 'say', text: parsed.problem };
  if (parsed.text === '') return { type: 'say', text: researchUsage(command) };
  return { type: 'research', ...parsed };
}

function jobs(rest: string): Command {
  if (rest === '' || /^list$/i.test(rest)) return { type: 'jobs', action: 'list', job: null };
  const [, word = '', job = ''] = /^(?:(status|stop)\s+)?(\S+)$/i.exec(rest) ?? [];
  const action = word.toLowerCase() === 'stop' ? 'stop' : 'status';
  const isBareWord = /^(?:status|stop)$/i.test(job);
  return job === '' || isBareWord ? { type: 'say', text: JOBS_USAGE } : { type: 'jobs', action, job };
}
