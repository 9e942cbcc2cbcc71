/**
 * Listens to Slack in a process of its own, because one has to be told of proxies from its start. Prints each question and
 * each warning or error of the log as a line of JSON.
 */
import type { Log } from '../../../src/core/ports.ts';
import { openSlack } from '../../../src/platforms/slack/app.ts';
import { silentLog } from './log.ts';
import { COMMANDS, memoryIntake } from './setup.ts';

const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const log: Log = {
  ...silentLog,
  warn: (fields, message) => print({ warn: message, ...fields }),
  error: (fields, message) => print({ error: message, ...fields }),
};
const [botToken = '', appToken = '', apiUrl = ''] = process.argv.slice(2);
const app = await openSlack({ botToken, appToken, apiUrl, commands: COMMANDS, log });
const intake = memoryIntake();
intake.accept = async ({ text }) => {
  print({ question: text });
  return 'accepted';
};
await app.listen(intake, { run: async () => '', choices: async () => [] });
