import type { ChatUpdateArguments } from '@slack/web-api';
import { Failure } from '../../core/failures.ts';
import type { Urgency } from '../../core/ports.ts';
import { retry } from '../../core/retry.ts';
import { content, contentWithoutBlocks, type MessageBody, type MessageContent } from './blocks.ts';
import type { SlackClient } from './client.ts';
import { hasCode, isRejected, NO_FILE_LINKS, NOT_EDITABLE, STILL_STREAMING, TOO_LONG } from './errors.ts';
import { callWithRetry, retryPolicy, type SlackWorkspace } from './workspace.ts';

/** Metadata of a message. Every app in the workspace can read it. */
export type Metadata = NonNullable<ChatUpdateArguments['metadata']>;

/** A new message. */
export type NewMessage = MessageContent & {
  readonly channel: string;
  readonly thread_ts?: string;
  readonly metadata: Metadata;
  readonly unfurl_media?: boolean;
};

/** Refusals that have another reason than the blocks. */
const NOT_ABOUT_BLOCKS = [...TOO_LONG, ...NOT_EDITABLE, STILL_STREAMING, NO_FILE_LINKS];

/** Left out, Slack would parse the text as if a person had typed it, mentions and links included. */
export const UNPARSED = { parse: 'none', link_names: false } as const;

/**
 * Posts one message under the rate limits, with its text unparsed and without previews unless `unfurl_media` is set. Returns
 * its `ts`. @throws {Failure}
 */
export async function postMessage(
  { client, limits }: SlackWorkspace,
  message: NewMessage,
  urgency: Urgency = 'final',
): Promise<string> {
  const args = { unfurl_links: false, unfurl_media: false, ...UNPARSED, ...message };
  const { ts } = await limits.post(message.channel, () => client.chat.postMessage(args), urgency);
  return ts ?? '';
}

/** Sends a message with its blocks, and once more without them when Slack dislikes it: most likely its blocks. @throws {Failure} */
export async function sendWithBlocks<T>(
  withBlocks: MessageContent,
  withoutBlocks: MessageContent,
  send: (what: MessageContent) => Promise<T>,
): Promise<T> {
  try {
    return await send(withBlocks);
  } catch (error) {
    if (!isRejected(error) || hasCode(error, ...NOT_ABOUT_BLOCKS)) throw error;
    return send(withoutBlocks);
  }
}

/** Posts a message, with its blocks if Slack takes them. Returns its `ts`. @throws {Failure} */
export function postBody(
  workspace: SlackWorkspace,
  place: Omit<NewMessage, keyof MessageContent>,
  body: MessageBody,
  urgency: Urgency = 'final',
): Promise<string> {
  return sendWithBlocks(content(body), contentWithoutBlocks(body), (what) =>
    postMessage(workspace, { ...place, ...what }, urgency),
  );
}

/** Edits a message: to show progress once, else until Slack has it. @throws {Failure} */
export async function editMessage(
  workspace: SlackWorkspace,
  target: { readonly channel: string; readonly ts: string; readonly metadata: Metadata },
  body: MessageBody,
  urgency: Urgency,
): Promise<void> {
  await sendWithBlocks(content(body), contentWithoutBlocks(body), (what) => {
    const run = ({ chat }: SlackClient) => chat.update({ ...target, ...UNPARSED, ...what });
    if (urgency === 'final') return callWithRetry(workspace, 'chat.update', run);
    return workspace.limits.call('chat.update', () => run(workspace.client), urgency);
  });
}

/**
 * Posts until it is certain that the message is there once. Slack has no idempotency key, so after a post with an unknown
 * outcome the message is looked for before it is posted again. `mayExist`: an earlier attempt may have posted it. `find` is
 * null when there is none, and repeats by itself what fails. @throws {Failure}
 */
export function postOnce<T>(
  { log }: SlackWorkspace,
  mayExist: boolean,
  find: () => Promise<T | null>,
  post: () => Promise<T>,
): Promise<T> {
  let isUnsure = mayExist;
  let isLooking = false;
  return retry({ ...retryPolicy(log), canRetry: () => !isLooking }, async () => {
    isLooking = isUnsure;
    const found = isUnsure ? await find() : null;
    isLooking = false;
    if (found !== null) return found;
    try {
      return await post();
    } catch (error) {
      isUnsure ||= error instanceof Failure && error.ambiguous;
      throw error;
    }
  });
}

/** The channel of the direct messages with a person. @throws {Failure} `undeliverable` */
export async function openDirectMessages(workspace: SlackWorkspace, person: string): Promise<string> {
  const opened = await callWithRetry(workspace, 'conversations.open', ({ conversations }) =>
    conversations.open({ users: person }),
  );
  if (!opened.channel?.id) throw new Failure('undeliverable', 'conversations.open gave no channel');
  return opened.channel.id;
}
