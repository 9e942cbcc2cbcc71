import type { DiscordServer } from '../servers/discord/discord-server.ts';

/** What stands behind a slash in the page's composer. */
export const COMMANDS = ['ask', 'research', 'jobs'] as const;

type Call = Omit<Parameters<DiscordServer['command']>[0], 'user' | 'channel'>;

/** How Slack's flags are called on Discord. */
const OPTIONS: Readonly<Record<string, string>> = { recent: 'recency', site: 'sites' };
const TAKEN: Readonly<Record<string, readonly string[]>> = {
  ask: ['model', 'recency'],
  research: ['effort', 'recency', 'sites', 'notify'],
};
const JOB_WORDS = ['list', 'status', 'stop'];

/**
 * What Discord's client makes of a command that is typed in one line: `--effort low` becomes an option of its own, the rest
 * is the question. Options that the command does not take belong to the question.
 * @throws {Error} with a sentence for the person
 */
export function discordCall(name: (typeof COMMANDS)[number], text: string): Call {
  if (name === 'jobs') return jobsCall(text);
  const options: Record<string, string> = {};
  const question = text.replaceAll(
    /(^|\s)--([a-z]+)(?:=|\s+)(\S+)/g,
    (all: string, space: string, flag: string, value: string) => {
      const option = OPTIONS[flag] ?? flag;
      if (TAKEN[name]?.includes(option) !== true) return all;
      options[option] = option === 'sites' && options['sites'] ? `${options['sites']}, ${value}` : value;
      return space;
    },
  );
  if (question.trim() === '') throw new Error(`Write your question behind /${name}.`);
  return { name, options: { ...options, question: question.trim() } };
}

function jobsCall(text: string): Call {
  const [first = 'list', second] = text.split(/\s+/).filter((word) => word !== '');
  const subcommand = JOB_WORDS.includes(first) ? first : 'status';
  const id = JOB_WORDS.includes(first) ? second : first;
  if (subcommand === 'list') return { name: 'jobs', subcommand };
  if (id === undefined) throw new Error(`Write the job’s id behind it: /jobs ${subcommand} R-….`);
  return { name: 'jobs', subcommand, options: { id } };
}
