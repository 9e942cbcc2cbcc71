/** What the messages of a research job show. */
import type { ResearchNotification } from '../../core/research/ports.ts';
import type { View } from '../../core/types.ts';
import { slackMarkdown } from '../../markdown/dialects.ts';
import { createRendering } from '../../markdown/rendering.ts';
import { plain, toMrkdwn } from '../../markdown/text.ts';
import { type Extras, extrasOf, MARKDOWN_LIMIT, noticesMarkdown, PART_LIMIT } from './blocks.ts';
import { inert } from './respond.ts';

/** Lead, links and footer stand beside the Markdown; all blocks of a message together may hold some 13,200 characters. */
const BESIDE = 1_000;
const LEAD_LIMIT = 300;
const NAME_LIMIT = 100;
/** A notification and a screen reader want the gist. */
const FALLBACK_LIMIT = 3_000;

/** The one message that a view becomes. */
export interface Drawn {
  readonly body: string;
  readonly extras: Extras;
}

/** What stands around the view in a notice; links are addresses that Slack gave us. */
export interface Around {
  /** The permalink of the uploaded report. */
  readonly file: string | null;
  /** The permalink of the job's card. */
  readonly card: string | null;
}

/** Draws a view that is one message: a text too long for it ends with an ellipsis. */
export function drawOne(view: View): Drawn {
  const rendering = createRendering(slackMarkdown, { hardLimit: PART_LIMIT });
  rendering.update(view.text, view.sources, true);
  const [first = '', ...others] = rendering.parts;
  const text = others.length === 0 ? first : `${first}\n\n…`;
  const body = text === '' ? noticesMarkdown(view) : text;
  return { body, extras: extrasOf(view, rendering.cited, MARKDOWN_LIMIT - BESIDE - body.length) };
}

/** A notice as blocks, with the `text` that notifications use. Slack shares a file whose link stands in both. */
export function noticeBlocks(
  notice: ResearchNotification,
  { body, extras }: Drawn,
  around: Around,
): Readonly<Record<string, unknown>> {
  const links = linksOf(notice, around);
  const blocks = [
    { type: 'section', text: { type: 'mrkdwn', text: leadOf(notice), verbatim: true } },
    ...(body === '' ? [] : [{ type: 'markdown', text: body }]),
    ...(links === '' ? [] : [{ type: 'context', elements: [{ type: 'mrkdwn', text: links }] }]),
    ...extras.blocks,
  ];
  return { blocks, text: joined(leadOf(notice), plain(body).slice(0, FALLBACK_LIMIT), links) };
}

/** The same without blocks, for when Slack refuses them. */
export function noticeText(
  notice: ResearchNotification,
  { body, extras }: Drawn,
  around: Around,
): { readonly text: string } {
  const parts = [leadOf(notice), toMrkdwn(body), toMrkdwn(extras.markdown), linksOf(notice, around)];
  return { text: joined(...parts) };
}

/** The only mention of the message. */
function leadOf({ question, lead }: ResearchNotification): string {
  return `<@${question.asker.id}> ${inert(plain(lead.slice(0, LEAD_LIMIT)))}`;
}

function linksOf({ file }: ResearchNotification, around: Around): string {
  const name = inert((file?.name ?? '').slice(0, NAME_LIMIT)).replaceAll('|', '_');
  return [
    around.file === null ? '' : `Full report: <${around.file}|${name}>`,
    around.card === null ? '' : `<${around.card}|Where it was asked>`,
  ]
    .filter((link) => link !== '')
    .join(' · ');
}

function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n');
}
