/** The minimal Slack bot: Socket Mode, chat.postMessage at the first token, chat.update once a second. */
import { SocketModeClient } from '@slack/socket-mode';
import { LogLevel, WebClient } from '@slack/web-api';
import { serve, watchLoop } from '../child.ts';
import { createEditing } from './editing.ts';
import { createClient, streamText } from './model-loop.ts';

const [modelUrl = '', apiUrl = '', botToken = '', appToken = ''] = process.argv.slice(2);
const model = createClient(modelUrl);
const web = new WebClient(botToken, { slackApiUrl: apiUrl, logLevel: LogLevel.ERROR });
const socket = new SocketModeClient({
  appToken,
  logLevel: LogLevel.ERROR,
  clientOptions: { slackApiUrl: apiUrl },
});
const loop = watchLoop();

interface Mention {
  readonly channel: string;
  readonly ts: string;
  readonly thread_ts?: string;
  readonly text: string;
}

socket.on('slack_event', ({ ack }: { ack: () => Promise<void> }) => void ack());
socket.on('app_mention', ({ event }: { event: Mention }) => void answer(event));

async function answer({ channel, ts, thread_ts, text: question }: Mention): Promise<void> {
  let message: string | undefined;
  const editing = createEditing(async (text) => {
    if (message === undefined) {
      const posted = await web.chat.postMessage({ channel, thread_ts: thread_ts ?? ts, text });
      message = posted.ts;
    } else {
      await web.chat.update({ channel, ts: message, text });
    }
  });
  await editing.finish(await streamText(model, question, editing.grown));
}

const connected = socket.start();
const handlers = {
  /** Resolves when the socket has said hello. */
  ready: () => connected.then(() => true),
  loop: () => loop(),
};

export type LoopHandlers = typeof handlers;
serve(handlers);
