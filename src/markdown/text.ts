import { clean } from './clean.ts';
import { type Dialect, mrkdwnDialect, plainDialect } from './dialects.ts';
import { tidy } from './draw-pieces.ts';
import { graphemes } from './graphemes.ts';
import { renderInline } from './inline.ts';
import { createLinks } from './links.ts';
import { createRendering } from './rendering.ts';

/**
 * Text of ours or of people (questions, titles, names) as the platform shows it literally: no mark-up, no mention, no link.
 * Line breaks stay.
 */
export function escapeText(dialect: Dialect, text: string): string {
  return clean(text)
    .split('\n')
    .map((line) => literalLine(dialect, line, false))
    .join('\n');
}

/** The same in one line, to stand between the brackets of a link. */
export function escapeLabel(dialect: Dialect, text: string): string {
  return literalLine(dialect, clean(text), true);
}

function literalLine(dialect: Dialect, line: string, label: boolean): string {
  return renderInline(line, {
    dialect,
    links: createLinks([]),
    citations: { met: new Map() },
    place: { lineStart: !label, before: label ? '[' : '', cell: false, label },
    glued: false,
    bold: false,
    literal: true,
    linkRoom: { left: 0 },
  });
}

/** Markdown as it reads, for notifications and `text` fall-backs: no mark-up, no token a platform would act on. */
export function plain(text: string): string {
  return drawWhole(plainDialect, text);
}

/** A short Markdown text in Slack's `mrkdwn`, for fields that know nothing else. Links become text. */
export function toMrkdwn(text: string): string {
  return drawWhole(mrkdwnDialect, text);
}

function drawWhole(dialect: Dialect, text: string): string {
  const rendering = createRendering(dialect);
  rendering.update(text, [], true);
  return tidy(rendering.parts.join('\n'));
}

/** The text, or its beginning with `…` when it has more than `max` characters as a reader counts them. */
export function cutText(text: string, max: number): string {
  // A character can be many units long, so that only a short text is surely short.
  if (text.length <= max) return text;
  const segments = graphemes(text.slice(0, max * 32));
  return segments.length <= max
    ? text
    : `${segments
        .slice(0, max - 1)
        .join('')
        .trimEnd()}…`;
}
