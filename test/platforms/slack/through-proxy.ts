/** Calls Slack in every way from a process that was told to use a proxy, which a process has to be from its start. Prints what came back as JSON. */
import { SlackClient } from '../../../src/platforms/slack/client.ts';
import { respondPrivately } from '../../../src/platforms/slack/platform.ts';
import { silentLog } from './log.ts';
import { GENERAL } from './setup.ts';

const [token = '', apiUrl = '', responseUrl = ''] = process.argv.slice(2);
const client = new SlackClient(token, apiUrl, silentLog);
const { ok } = await client.chat.postMessage({ channel: GENERAL, text: 'Through a proxy' });
const { files } = await client.filesUploadV2({ filename: 'a.md', content: 'Hello' });
const isTold = await respondPrivately(responseUrl, 'In private', silentLog);
process.stdout.write(JSON.stringify({ ok, uploads: files.length, isTold }));
