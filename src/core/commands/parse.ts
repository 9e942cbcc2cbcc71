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

/** A comma, colon or dash behind our mention; not the colon of an emoji, nor a minus. */
const BEHIND_MENTION = /^(?:[\s,]|:(?![\w+'-]+:)|[-–—](?=\s|$))+/;
/** May stand behind our mention at the end. */
const ENDING = /^[?!.…]*$/;
const BEGINS_COMMAND = /^(?:research\s*:|!(?:research|jobs|help)\b)/i;
/** So many words in front of our mention are a greeting, if a command stands behind it. */
const MAX_GREETING_WORDS = 3;

/**
 * Takes our own mention off the beginning and the end of a message, with what joins it to the words; in front of a command,
 * with its greeting too. `mention` is global, and matches the mention in the platform's mark-up.
 */
export function takeOffMention(text: string, mention: RegExp): string {
  const found = [...text.matchAll(mention)].map(
    ({ 0: { length }, index }) => [index, index + length] as const,
  );
  let from = 0;
  let to = text.length;
  let ending = '';
  for (let next = found[0]; next && joins(text.slice(from, next[0])); next = found[0]) {
    from = next[1];
    found.shift();
  }
  for (let last = found.at(-1); last; last = found.at(-1)) {
    const behind = text.slice(last[1], to).trim();
    if (!ENDING.test(behind)) break;
    ending = behind + ending;
    to = last[0];
    found.pop();
  }
  const words = text
    .slice(from, to)
    .replace(from > 0 ? BEHIND_MENTION : '', '')
    .trim()
    .replace(ending === '' ? '' : /,$/, '');
  if (ENDING.test(words)) return '';
  const [inside] = found;
  const behind = inside ? text.slice(inside[1], to).replace(BEHIND_MENTION, '') : '';
  const isGreeted = inside && text.slice(from, inside[0]).trim().split(/\s+/).length <= MAX_GREETING_WORDS;
  return isGreeted && BEGINS_COMMAND.test(behind) ? behind.trim() + ending : words + ending;
}

/** Nothing but what stands between mentions and words. */
function joins(text: string): boolean {
  return text.replace(BEHIND_MENTION, '') === '';
}

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
