import { clean } from './characters.ts';
import { createLinkRoom, noLinks } from './citations.ts';
import { type Dialect, mrkdwnDialect, plainDialect } from './dialects.ts';
import { renderInline } from './inline-write.ts';
import { tidy } from './pieces.ts';
import { createRendering } from './rendering.ts';

/** Escapes text of ours or of people (questions, titles, names): no mark-up, no mention, no link. Line breaks stay. */
export function escapeText(dialect: Dialect, text: string): string {
  return clean(text)
    .split('\n')
    .map((line) => literalLine(dialect, line, false))
    .join('\n');
}

/** Escapes text for the label of a link, in one line. */
export function escapeLabel(dialect: Dialect, text: string): string {
  return literalLine(dialect, clean(text), true);
}

function literalLine(dialect: Dialect, line: string, label: boolean): string {
  return renderInline(line, {
    dialect,
    links: noLinks,
    citations: new Map(),
    place: { lineStart: !label, before: label ? '[' : '', cell: false, label },
    glued: false,
    bold: false,
    literal: true,
    linkRoom: createLinkRoom(0),
  });
}

/** Renders Markdown as plain text, for notifications and `text` fall-backs: no mark-up, no live token. */
export function plain(text: string): string {
  return drawWhole(plainDialect, text);
}

/** Renders a short Markdown text as Slack's `mrkdwn`, for fields that take nothing else. Links become text. */
export function toMrkdwn(text: string): string {
  return drawWhole(mrkdwnDialect, text);
}

function drawWhole(dialect: Dialect, text: string): string {
  const rendering = createRendering(dialect);
  rendering.update(text, [], true);
  return tidy(rendering.parts.join('\n'));
}
