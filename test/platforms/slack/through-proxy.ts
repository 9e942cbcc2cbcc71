/** Calls Slack from a process that was told to use a proxy, which a process has to be from its start. */
import { SlackClient } from '../../../src/platforms/slack/client.ts';
import { createSilentLog } from '../../perplexity/silent-log.ts';

const [token = '', apiUrl = ''] = process.argv.slice(2);
const { ok, team } = await new SlackClient(token, apiUrl, createSilentLog().log).auth.test();
process.stdout.write(JSON.stringify({ ok, team }));
