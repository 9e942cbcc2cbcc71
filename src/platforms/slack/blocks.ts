import type { Button, View } from '../../core/types.ts';
import { slackMarkdown } from '../../markdown/dialects.ts';
import { sourceLines } from '../../markdown/sources.ts';
import { escapeText, plain } from '../../markdown/text.ts';
import { actionId } from './interactions.ts';
import { inert } from './respond.ts';

/** A Block Kit block. */
type Block = { readonly type: string } & Readonly<Record<string, unknown>>;

/** What stands under the text of a finished answer, and how to say it where blocks are refused. */
export interface Extras {
  readonly blocks: readonly Block[];
  readonly markdown: string;
}

/** All `markdown` blocks of one message together may hold 12,000 characters; `markdown_text` too. */
export const MARKDOWN_LIMIT = 12_000;
/** What a part of the text may be at most, its links included: the rest is for notices and sources. */
export const PART_LIMIT = 10_000;
const NOTICES_LIMIT = 1_000;
/** `text` of chat.update is refused above 4,000. */
const FALLBACK_LIMIT = 3_900;
/** What is read for it has a bound, so that a long answer costs no more. */
const FALLBACK_SOURCE = 4_000;
/** It is made anew with every edit. */
const GROWING_FALLBACK_SOURCE = 400;
/** Slack's limit for a text in a context block is 3,000. */
const FOOTER_LIMIT = 2_000;
const BUTTON_LABEL_LIMIT = 75;
const MOST_SOURCES = 5;

export const NO_EXTRAS: Extras = { blocks: [], markdown: '' };

/** Notices, as the body of a message that has no text of its own. */
export function noticesMarkdown(view: View): string {
  // Two spaces make Slack's Markdown keep the line break.
  const lines = view.notices.map((notice) => escapeText(slackMarkdown, notice.slice(0, NOTICES_LIMIT)));
  return lines.join('  \n').slice(0, NOTICES_LIMIT);
}

/** Sources, notices, footer and buttons. `room` is what the body leaves of the message's Markdown. */
export function extrasOf(view: View, cited: readonly number[], room: number): Extras {
  const notices = view.text === '' ? '' : noticesMarkdown(view);
  const sources = view.text === '' ? '' : sourcesThatFit(view, cited, room - notices.length);
  const footer = plain((view.footer ?? '').slice(0, FOOTER_LIMIT));
  const texts = [sources, notices].filter((text) => text !== '');
  const blocks: Block[] = texts.map((text) => ({ type: 'markdown', text }));
  if (footer !== '')
    blocks.push({ type: 'context', elements: [{ type: 'mrkdwn', text: inert(footer), verbatim: true }] });
  if (view.buttons.length > 0) blocks.push({ type: 'actions', elements: view.buttons.map(buttonElement) });
  return {
    blocks,
    markdown: [...texts, escapeText(slackMarkdown, footer)].filter((text) => text !== '').join('\n\n'),
  };
}

/** What stands under a message that still grows: its buttons. */
export function growingExtras(view: View): Extras {
  if (view.buttons.length === 0) return NO_EXTRAS;
  return { blocks: [{ type: 'actions', elements: view.buttons.map(buttonElement) }], markdown: '' };
}

/** A message's content as blocks, with the plain `text` that notifications and screen readers use. */
export function content(
  body: string,
  extras: Extras,
  plainText: string = plainBeginning(body),
): Readonly<Record<string, unknown>> {
  const blocks: readonly Block[] = [
    ...(body === '' ? [] : [{ type: 'markdown', text: body }]),
    ...extras.blocks,
  ];
  return { blocks, text: plainText.slice(0, FALLBACK_LIMIT) || 'Answer' };
}

/** Slack's Markdown as it reads, from its beginning. */
export function plainBeginning(body: string, isGrowing = false): string {
  return plain(body.slice(0, isGrowing ? GROWING_FALLBACK_SOURCE : FALLBACK_SOURCE));
}

/** The same without blocks, for when Slack refuses them. */
export function contentWithoutBlocks(body: string, extras: Extras): Readonly<Record<string, unknown>> {
  const whole = [body, extras.markdown].filter((text) => text !== '').join('\n\n');
  return { markdown_text: whole.length <= MARKDOWN_LIMIT ? whole : body };
}

function sourcesThatFit(view: View, cited: readonly number[], room: number): string {
  for (let most = MOST_SOURCES; most > 0; most--) {
    const lines = sourceLines(slackMarkdown, view.sources, cited, most);
    if (lines.length <= room) return lines;
  }
  return '';
}

function buttonElement(button: Button): Block {
  return {
    type: 'button',
    action_id: actionId(button.action),
    value: button.question,
    text: { type: 'plain_text', text: button.label.slice(0, BUTTON_LABEL_LIMIT) },
  };
}
