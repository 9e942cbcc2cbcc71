/** Posts to a `response_url`: five in thirty minutes, ephemeral unless said otherwise. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Args } from './arguments.ts';
import { checkContent } from './content.ts';
import { type Context, showMessage } from './context.ts';
import { messageChanged, messageDeleted, messagePosted } from './events.ts';
import type { ResponseTarget } from './responses.ts';
import { freshMessage } from './store.ts';
import { type RecordedCall, SlackError } from './types.ts';
import { type Answer, answerWithFaults, readBody, type WebApi } from './web-api.ts';
import { BOT, findChannel } from './world.ts';

const ARGUMENTS = new Set([
  'text',
  'blocks',
  'response_type',
  'replace_original',
  'delete_original',
  'thread_ts',
  'unfurl_links',
  'unfurl_media',
  'metadata',
]);

/** Answers `POST /response/<id>`; recorded as method `response_url`. */
export async function answerResponse(
  api: WebApi,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const args = await readBody(request);
  const call: RecordedCall = {
    method: 'response_url',
    args,
    token: null,
    at: Date.now(),
    result: 'pending',
    status: 0,
    insideRetryAfter: false,
  };
  api.calls.push(call);
  const path = request.url ?? '';
  await answerWithFaults(api, call, response, () => {
    try {
      const target = api.context.responses.use(path, Date.now());
      if (typeof target === 'string') return failed(404, target);
      respond(api.context, target, args);
      return { status: 200, result: 'ok', body: { ok: true } };
    } catch (error) {
      if (error instanceof SlackError) return failed(400, error.code);
      throw error;
    }
  });
}

/**
 * Writes what an app answered to an interaction, by `response_url` or with its acknowledgement.
 * @throws {SlackError} those of content, `invalid_arguments`
 */
export function respond(context: Context, target: ResponseTarget, args: Args): void {
  const unknown = Object.keys(args).filter((key) => !ARGUMENTS.has(key));
  if (unknown.length > 0) throw new SlackError('invalid_arguments', ...unknown);
  const original = target.message === null ? undefined : context.store.find(target.channel, target.message);
  if (original !== undefined && args['delete_original'] === true) {
    const previous = showMessage(context, original);
    context.store.remove(original);
    return messageDeleted(context, original, previous);
  }
  const content = checkContent(args, { max: 40_000, truncate: true });
  if (original !== undefined && args['replace_original'] === true) {
    const previous = showMessage(context, original);
    Object.assign(original, content, { editedTs: context.store.nextTs() });
    context.store.changed();
    return messageChanged(context, original, previous);
  }
  const ts = context.store.nextTs();
  const threadTs = typeof args['thread_ts'] === 'string' ? args['thread_ts'] : target.threadTs;
  const { channel, user } = target;
  if (args['response_type'] === 'in_channel') {
    const message = freshMessage({ ts, channel, user: BOT.user, botId: BOT.id, threadTs, ...content });
    context.store.add(message);
    if (findChannel(channel) !== undefined) messagePosted(context, message);
    return;
  }
  const { text, blocks } = content;
  context.store.ephemerals.push({ ts, channel, user, text, blocks, threadTs, from: 'bot' });
  context.store.changed();
}

function failed(status: number, error: string): Answer {
  return { status, result: error, body: { ok: false, error } };
}
