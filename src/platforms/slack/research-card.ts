/** The card of a research job: one message that is edited while the job runs. */
import { Failure } from '../../core/failures.ts';
import type { ResearchPlatform } from '../../core/research/ports.ts';
import type { MessageRef, ThreadRef, View } from '../../core/types.ts';
import { slackMarkdown } from '../../markdown/dialects.ts';
import { createRendering } from '../../markdown/rendering.ts';
import { plain } from '../../markdown/text.ts';
import { extrasOf, MARKDOWN_LIMIT, type MessageBody, noticesMarkdown, PART_LIMIT } from './blocks.ts';
import { hasCode, NOT_EDITABLE } from './errors.ts';
import { findOwn, metadataOf } from './find-messages.ts';
import { editMessage, postBody, postOnce } from './post-message.ts';
import { openThread } from './thread.ts';
import type { SlackWorkspace } from './workspace.ts';

type Card = Parameters<ResearchPlatform['showCard']>[0];
type ShownCard = Awaited<ReturnType<ResearchPlatform['showCard']>>;

/** Lead, links and footer stand beside the Markdown; all blocks of a message together may hold some 13,200 characters. */
const BESIDE = 1_000;

/** Renders a view into one message: a text too long for it ends with an ellipsis. */
export function renderSingle(view: View): MessageBody {
  const rendering = createRendering(slackMarkdown, { hardLimit: PART_LIMIT });
  rendering.update(view.text, view.sources, true);
  const [first = '', ...others] = rendering.parts;
  const written = others.length === 0 ? first : `${first}\n\n…`;
  const text = written === '' ? noticesMarkdown(view) : written;
  const extras = extrasOf(view, rendering.cited, MARKDOWN_LIMIT - BESIDE - text.length);
  return { text, plain: rendering.plain(0) || plain(text), extras };
}

/** Posts or edits a card; see the port. */
export async function showCard(workspace: SlackWorkspace, card: Card): Promise<ShownCard> {
  // Without history scopes nothing tells of a root or card that a crash has left unrecorded: it is posted again.
  const thread = await openThread(workspace, card.question, card.isRepeat);
  if (card.card === null) return { thread, card: await postCard(workspace, thread, card) };
  await editCard(workspace, card.card, card);
  return { thread, card: card.card };
}

async function postCard(slack: SlackWorkspace, thread: ThreadRef, card: Card): Promise<MessageRef> {
  const { question, isRepeat, view } = card;
  const { platform, workspace, channel } = thread;
  const body = renderSingle(view);
  const metadata = metadataOf('card', question);
  const place = { channel, thread_ts: thread.thread, metadata };
  const find = async () => (await findOwn(slack, question, 'card', thread))?.[0]?.ts ?? null;
  const message = await postOnce(slack, isRepeat, find, () => postBody(slack, place, body));
  return { platform, workspace, channel, message };
}

/** A workspace may forbid late edits: then the card stays as it is, and the notification says the rest. */
async function editCard(
  workspace: SlackWorkspace,
  { channel, message }: MessageRef,
  { question, urgency, view }: Card,
): Promise<void> {
  const metadata = metadataOf('card', question);
  try {
    await editMessage(workspace, { channel, ts: message, metadata }, renderSingle(view), urgency);
  } catch (error) {
    if (hasCode(error, ...NOT_EDITABLE))
      workspace.log.info({ err: error }, 'a research card cannot be edited');
    else if (urgency === 'final' || !(error instanceof Failure) || error.kind !== 'rate-limited') throw error;
  }
}
