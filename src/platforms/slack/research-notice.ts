import { Failure } from '../../core/failures.ts';
import type { NotifyResult, ResearchNotification } from '../../core/research/ports.ts';
import type { MessageRef } from '../../core/types.ts';
import { type Desk, sendSurely } from './desk.ts';
import { uploadFile } from './files.ts';
import { findResearch, type Left, researchMetadata } from './lookup.ts';
import { asRecord, asText } from './payload.ts';
import { post, postOnce } from './posting.ts';
import { type Around, type Drawn, drawOne, noticeBlocks, noticeText } from './research-content.ts';
import { hasCode } from './web.ts';
import { isRejected } from './writing.ts';

/** The channel takes messages, but no links to files. */
const NO_FILE_LINKS: ReadonlySet<string> = new Set(['slack_connect_file_link_sharing_blocked']);

interface Place {
  readonly channel: string;
  /** Null for a message outside threads. */
  readonly thread: string | null;
  /** The permalink of the job's card. */
  readonly card: string | null;
}

/** Posts a notice once; see the port. */
export async function notify(desk: Desk, notice: ResearchNotification): Promise<NotifyResult> {
  const { question } = notice;
  const place = await placeOf(desk, notice);
  const drawn = drawOne(notice.view);
  let file: string | null | undefined;
  const left = await postOnce<Left | 'unknown'>(desk, {
    mayStand: notice.isRepeat,
    find: () => findResearch(desk, question, 'notice', place),
    async write() {
      if (file === undefined) file = notice.file && (await uploadFile(desk, notice.file));
      return postNotice(desk, notice, place, drawn, { file, card: place.card });
    },
  });
  if (left === 'unknown') return { type: 'unknown' };
  const { platform, workspace } = question;
  const message = { platform, workspace, channel: place.channel, message: left.ts };
  return { type: 'posted', message, hasFile: left.hasFile };
}

/** One try, with as much of the notice as Slack takes: without the file where links to files are forbidden, without blocks where it refuses them. */
async function postNotice(
  desk: Desk,
  notice: ResearchNotification,
  { channel, thread }: Place,
  drawn: Drawn,
  around: Around,
): Promise<Left> {
  let shown = around;
  let hasBlocks = true;
  for (;;) {
    const hasFile = shown.file !== null;
    const what = hasBlocks ? noticeBlocks(notice, drawn, shown) : noticeText(notice, drawn, shown);
    const args = {
      channel,
      ...(thread !== null && { thread_ts: thread }),
      metadata: researchMetadata(notice.question, 'notice', hasFile),
      // Nobody says whether a file is shared by a link without previews. Slack's default leaves them out for web pages.
      ...(hasFile && { unfurl_media: true }),
    };
    try {
      return { ts: await post(desk, { ...args, ...what }), hasFile };
    } catch (error) {
      if (hasCode(error, NO_FILE_LINKS) && hasFile) shown = { ...around, file: null };
      else if (isRejected(error) && hasBlocks) hasBlocks = false;
      else throw error;
    }
  }
}

async function placeOf(desk: Desk, { place, question }: ResearchNotification): Promise<Place> {
  if (place.type === 'channel') return { channel: question.channel, thread: null, card: null };
  if (place.type === 'thread') {
    const { channel, thread } = place.thread;
    return { channel, thread, card: null };
  }
  const opened = await sendSurely(desk, 'conversations.open', { users: question.asker.id });
  const channel = asText(asRecord(opened.channel)?.id);
  if (channel === null) throw new Failure('undeliverable', 'conversations.open gave no channel');
  return { channel, thread: null, card: place.link && (await permalinkOf(desk, place.link)) };
}

/** Null when the message is gone or Slack does not say: the notice does without. */
async function permalinkOf(desk: Desk, { channel, message }: MessageRef): Promise<string | null> {
  try {
    const result = await sendSurely(desk, 'chat.getPermalink', { channel, message_ts: message });
    return asText(result.permalink);
  } catch (error) {
    desk.log.debug({ err: error }, 'no permalink to a research card');
    return null;
  }
}
