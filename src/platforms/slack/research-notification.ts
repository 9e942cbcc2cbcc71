/** The message that tells the asker of the end of a research job, with the report as a file. */
import { Failure } from '../../core/failures.ts';
import type { NotifyResult, ResearchNotification } from '../../core/research/ports.ts';
import { retry } from '../../core/retry.ts';
import type { MessageRef } from '../../core/types.ts';
import { plain, toMrkdwn } from '../../markdown/text.ts';
import { type Block, contextBlock, type MessageBody, type MessageContent, markdownBlock } from './blocks.ts';
import { escapeMrkdwn } from './decode-text.ts';
import { hasCode, NO_FILE_LINKS } from './errors.ts';
import { findOwn, metadataOf, type OwnMessage } from './find-messages.ts';
import { openDirectMessages, postMessage, postOnce, sendWithBlocks } from './post-message.ts';
import { renderSingle } from './research-card.ts';
import { callWithRetry, retryPolicy, type SlackWorkspace } from './workspace.ts';

const LEAD_LIMIT = 300;
const NAME_LIMIT = 100;
/** How much of the text a notification and a screen reader get. */
const FALLBACK_LIMIT = 3_000;

/** A notification that is there. */
type Posted = Pick<OwnMessage, 'ts' | 'hasFile'>;

interface Place {
  readonly channel: string;
  /** Null for a message outside threads. */
  readonly thread: string | null;
  /** The permalink of the job's card. */
  readonly card: string | null;
}

/** Posts a notification once; see the port. */
export async function notify(slack: SlackWorkspace, notice: ResearchNotification): Promise<NotifyResult> {
  const { question } = notice;
  const place = await placeOf(slack, notice);
  const message = renderSingle(notice.view);
  let file: string | null | undefined;
  const find = async (): Promise<Posted | 'unknown' | null> => {
    const found = await findOwn(slack, question, 'notice', place);
    return found === null ? 'unknown' : (found[0] ?? null);
  };
  const posted = await postOnce<Posted | 'unknown'>(slack, notice.isRepeat, find, async () => {
    if (file === undefined) file = notice.file && (await uploadFile(slack, notice.file));
    return postNotice(slack, notice, place, message, file);
  });
  if (posted === 'unknown') return { type: 'unknown' };
  const { platform, workspace } = question;
  const ref = { platform, workspace, channel: place.channel, message: posted.ts };
  return { type: 'posted', message: ref, hasFile: posted.hasFile };
}

/** Posts it with as much as Slack takes: without the file where links to files are forbidden. */
async function postNotice(
  workspace: SlackWorkspace,
  notice: ResearchNotification,
  place: Place,
  message: MessageBody,
  file: string | null,
): Promise<Posted> {
  const { channel, thread, card } = place;
  const hasFile = file !== null;
  const args = {
    channel,
    ...(thread !== null && { thread_ts: thread }),
    metadata: metadataOf('notice', notice.question, { file: hasFile }),
    // It is not documented whether a link without previews shares its file. By default Slack previews no web page.
    ...(hasFile && { unfurl_media: true }),
  };
  const contents = noticeContents(notice, message, linksOf(notice, file, card));
  try {
    const ts = await sendWithBlocks(...contents, (what) => postMessage(workspace, { ...args, ...what }));
    return { ts, hasFile };
  } catch (error) {
    if (!hasFile || !hasCode(error, NO_FILE_LINKS)) throw error;
    return postNotice(workspace, notice, place, message, null);
  }
}

/** With blocks, and without for when Slack refuses them. Slack shares a file whose link stands in the blocks and in `text`. */
function noticeContents(
  { question, lead }: ResearchNotification,
  { text, plain: withoutMarkup, extras }: MessageBody,
  links: string,
): [MessageContent, MessageContent] {
  // With the only mention of the message.
  const opening = `<@${question.asker.id}> ${escapeMrkdwn(plain(lead.slice(0, LEAD_LIMIT)))}`;
  const blocks: Block[] = [
    { type: 'section', text: { type: 'mrkdwn', text: opening, verbatim: true } },
    ...(text === '' ? [] : [markdownBlock(text)]),
    ...(links === '' ? [] : [contextBlock(links)]),
    ...extras.blocks,
  ];
  return [
    { blocks, text: joinLines(opening, withoutMarkup.slice(0, FALLBACK_LIMIT), links) },
    { text: joinLines(opening, toMrkdwn(text), toMrkdwn(extras.markdown), links) },
  ];
}

/** Links to the report and to the job's card, by the permalinks that Slack gave us. */
function linksOf({ file }: ResearchNotification, report: string | null, card: string | null): string {
  const name = escapeMrkdwn((file?.name ?? '').slice(0, NAME_LIMIT)).replaceAll('|', '_');
  return [
    report === null ? '' : `Full report: <${report}|${name}>`,
    card === null ? '' : `<${card}|Where it was asked>`,
  ]
    .filter((link) => link !== '')
    .join(' · ');
}

function joinLines(...lines: readonly string[]): string {
  return lines.filter((line) => line !== '').join('\n');
}

async function placeOf(workspace: SlackWorkspace, { place, question }: ResearchNotification): Promise<Place> {
  if (place.type === 'channel') return { channel: question.channel, thread: null, card: null };
  if (place.type === 'thread') return { ...place.thread, card: null };
  const channel = await openDirectMessages(workspace, question.asker.id);
  return { channel, thread: null, card: place.link && (await permalinkOf(workspace, place.link)) };
}

/** Null when the message is gone or Slack does not say: the notification does without. */
async function permalinkOf(
  workspace: SlackWorkspace,
  { channel, message }: MessageRef,
): Promise<string | null> {
  try {
    const args = { channel, message_ts: message };
    const result = await callWithRetry(workspace, 'chat.getPermalink', ({ chat }) => chat.getPermalink(args));
    return result.permalink ?? null;
  } catch (error) {
    workspace.log.debug({ err: error }, 'no permalink to a research card');
    return null;
  }
}

/**
 * Uploads a text file that nobody but the bot can see yet, and returns its permalink; null where files are not allowed or
 * the upload does not succeed: the message goes out without.
 *
 * It is uploaded without a channel. With one, Slack would post a message of its own: asynchronously, so that the response
 * does not name it, without metadata to find it by, and without Markdown (`markdown` blocks end in internal_error,
 * python-slack-sdk#1756). A private file is shared by the first message in which its owner links to it (bolt-python#1018).
 * @throws {Failure} `rate-limited`
 */
async function uploadFile(
  { client, limits, log }: SlackWorkspace,
  { name, text }: { readonly name: string; readonly text: string },
): Promise<string | null> {
  const upload = () => client.filesUploadV2({ filename: name, title: name, content: text });
  try {
    // Each attempt is a new upload: what an earlier one has left stays private.
    const { files } = await retry(retryPolicy(log), () =>
      limits.call('files.getUploadURLExternal', () => limits.call('files.completeUploadExternal', upload)),
    );
    const permalink = files[0]?.files?.[0]?.permalink;
    if (!permalink) log.warn({}, 'Slack gave no permalink for an uploaded file');
    return permalink ?? null;
  } catch (error) {
    if (!(error instanceof Failure) || error.kind === 'rate-limited') throw error;
    log.warn({ err: error }, 'a file could not be uploaded to Slack (scope files:write, or not allowed)');
    return null;
  }
}
