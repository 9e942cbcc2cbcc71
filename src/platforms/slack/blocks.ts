import type { ChatAppendStreamArguments, ChatStopStreamArguments } from '@slack/web-api';
import type { Button, Source, View } from '../../core/types.ts';
import { cutText } from '../../markdown/characters.ts';
import { slackMarkdown } from '../../markdown/dialects.ts';
import { hasMoreSources, MAX_LINES, sourceLines } from '../../markdown/sources.ts';
import { escapeText, plain } from '../../markdown/text.ts';
import { canonicalUrl, linkTarget } from '../../markdown/urls.ts';
import { actionId } from './commands.ts';
import { escapeMrkdwn } from './decode-text.ts';

/** A Block Kit block as Slack's SDK types it; @slack/web-api 8.2.0 does not export the type by a name. */
export type Block = NonNullable<ChatStopStreamArguments['blocks']>[number];
type ButtonElement = Extract<Extract<Block, { type: 'actions' }>['elements'][number], { type: 'button' }>;

/** A piece of a stream. */
export type Chunk = NonNullable<ChatAppendStreamArguments['chunks']>[number];
export type SearchStep = Extract<Chunk, { readonly type: 'task_update' }>;
type StepSource = NonNullable<SearchStep['sources']>[number];

/** The content of one message, as arguments of `chat.postMessage` and `chat.update`. */
export type MessageContent =
  | { readonly blocks: Block[]; readonly text: string }
  | { readonly text: string }
  | { readonly markdown_text: string };

/** What stands under the text of a finished answer, and the same as Markdown for where blocks are refused. */
export interface Extras {
  readonly blocks: readonly Block[];
  readonly markdown: string;
}

/** A message before it is sent. */
export interface MessageBody {
  /** In Slack's Markdown. */
  readonly text: string;
  /** The same without its mark-up, for notifications and screen readers. */
  readonly plain: string;
  readonly extras: Extras;
}

/** Slack's limit for all `markdown` blocks of one message together, and for `markdown_text`. */
export const MARKDOWN_LIMIT = 12_000;
/** The longest part of an answer's text, links included: the rest of the limit is for notices and sources. */
export const PART_LIMIT = 10_000;
const NOTICES_LIMIT = 1_000;
/** `chat.update` refuses a `text` of more than 4,000 characters. */
const FALLBACK_LIMIT = 3_900;
/** Slack's limit for a text in a context block is 3,000. */
const FOOTER_LIMIT = 2_000;
const BUTTON_LABEL_LIMIT = 75;
/** Slack counts the whole step towards the size of a stream; sources beyond this are listed under the answer only. */
export const STEP_LIMIT = 1_200;
const STEP_TITLE_LIMIT = 80;

export const NO_EXTRAS: Extras = { blocks: [], markdown: '' };

/** The notices of a view as Markdown. */
export function noticesMarkdown(view: View): string {
  // Two spaces make Slack's Markdown keep the line break.
  const lines = view.notices.map((notice) => escapeText(slackMarkdown, notice.slice(0, NOTICES_LIMIT)));
  return lines.join('  \n').slice(0, NOTICES_LIMIT);
}

/** Sources, notices, footer and buttons. `room`: how many characters of Markdown the body leaves for them. */
export function extrasOf(view: View, cited: readonly number[], room: number): Extras {
  const notices = view.text === '' ? '' : noticesMarkdown(view);
  const max = view.text === '' ? 0 : linesThatFit(view, cited, room - notices.length);
  const sources = sourceLines(slackMarkdown, view.sources, cited, max);
  const footer = plain((view.footer ?? '').slice(0, FOOTER_LIMIT));
  const texts = [sources, notices].filter((text) => text !== '');
  const blocks: Block[] = texts.map(markdownBlock);
  if (footer !== '') blocks.push(contextBlock(escapeMrkdwn(footer), true));
  const buttons = hasMoreSources(view.sources, cited, max)
    ? view.buttons
    : view.buttons.filter(({ action }) => action !== 'sources');
  blocks.push(...growingExtras({ buttons }).blocks);
  return {
    blocks,
    markdown: [...texts, escapeText(slackMarkdown, footer)].filter((text) => text !== '').join('\n\n'),
  };
}

/** The buttons under a message that still grows. */
export function growingExtras({ buttons }: Pick<View, 'buttons'>): Extras {
  if (buttons.length === 0) return NO_EXTRAS;
  return { blocks: [{ type: 'actions', elements: buttons.map(buttonElement) }], markdown: '' };
}

/** A message's content as blocks. */
export function content({ text, plain, extras }: MessageBody): MessageContent {
  const blocks: Block[] = [...(text === '' ? [] : [markdownBlock(text)]), ...extras.blocks];
  return { blocks, text: plain.slice(0, FALLBACK_LIMIT) || 'Answer' };
}

/** The same content without blocks, for when Slack refuses them. */
export function contentWithoutBlocks({ text, extras }: MessageBody): MessageContent {
  const whole = [text, extras.markdown].filter((part) => part !== '').join('\n\n');
  return { markdown_text: whole.length <= MARKDOWN_LIMIT ? whole : text };
}

/** How many lines of sources the room holds. */
function linesThatFit(view: View, cited: readonly number[], room: number): number {
  let max = MAX_LINES;
  while (max > 0 && sourceLines(slackMarkdown, view.sources, cited, max).length > room) max -= 1;
  return max;
}

/** One line of small print in Slack's `mrkdwn`. */
export function contextBlock(mrkdwn: string, verbatim = false): Block {
  return { type: 'context', elements: [{ type: 'mrkdwn', text: mrkdwn, verbatim }] };
}

export function markdownBlock(text: string): Block {
  return { type: 'markdown', text };
}

function buttonElement(button: Button): ButtonElement {
  return {
    type: 'button',
    action_id: actionId(button.action),
    value: button.question,
    text: { type: 'plain_text', text: button.label.slice(0, BUTTON_LABEL_LIMIT) },
  };
}

/** The search as a step of a stream (`task_update`), with as many of its sources as fit. */
export function searchStep(sources: readonly Source[]): SearchStep {
  const title = `Searched the web — ${sources.length} ${sources.length === 1 ? 'source' : 'sources'}`;
  const step = { type: 'task_update', id: 'search', title, status: 'complete' } as const;
  return { ...step, sources: stepSources(sources, STEP_LIMIT - JSON.stringify(step).length) };
}

function stepSources(sources: readonly Source[], room: number): StepSource[] {
  const chosen: StepSource[] = [];
  const seen = new Set<string>();
  let left = room;
  for (const { url, title } of sources) {
    const target = linkTarget(url);
    const page = canonicalUrl(url);
    if (target === null || page === null || seen.has(page)) continue;
    const source: StepSource = {
      type: 'url',
      url: target,
      text: plain(cutText(title, STEP_TITLE_LIMIT)) || page,
    };
    left -= JSON.stringify(source).length + 1;
    if (left < 0) break;
    seen.add(page);
    chosen.push(source);
  }
  return chosen;
}
