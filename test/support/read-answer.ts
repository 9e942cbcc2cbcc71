/** Reads an answer as a person would, whatever the platform's mark-up, so that two platforms can be compared. */
import type { Post } from './sides.ts';

export interface Reading {
  /** The words of the answer in order, without mark-up, link targets and what is listed under it. */
  readonly words: string;
  /** The sources listed under the answer, in order: number and address. */
  readonly sources: readonly { readonly number: number; readonly url: string }[];
  /** Every citation in the text that is a link: its number and where it leads. */
  readonly citations: readonly { readonly number: number; readonly url: string }[];
  /** Sentences of ours under the text, and the footer. */
  readonly extras: readonly string[];
}

const LINK = /\[((?:\\.|\[[^\]]*\]|[^\]\\])*)\]\(<?([^)\s>]+)>?\)/g;
/** `1. [Title](url) — site` on Slack, `-# 1 · [Title](<url>) — site` on Discord. */
const SOURCE_LINE = /^(?:-# )?(\d+)(?:\\?\.| ·) \[.*\]\(<?([^)\s>]+)>?\) — /;
const EXTRA_LINE = /^(?:-# )?(?:⚠|Not read:|Using the beginning|sonar\b.* · )/;

/** Reads the posts of one answer, in order. */
export function readAnswer(posts: readonly Post[]): Reading {
  // The labels of buttons are part of what Slack's stand-in shows as text.
  const lines = posts.flatMap(({ text, buttons }) =>
    text.split('\n').filter((line) => !isLabels(line, buttons)),
  );
  const listed = lines.map((line) => SOURCE_LINE.exec(line)).filter((match) => match !== null);
  const extras = lines.filter((line) => EXTRA_LINE.test(line)).map((line) => line.replace(/^-# /, ''));
  const body = lines.filter((line) => !SOURCE_LINE.test(line) && !EXTRA_LINE.test(line)).join('\n');
  const citations = [...body.matchAll(LINK)]
    .map((match) => ({ number: Number((match[1] ?? '').replaceAll(/[[\]\\]/g, '')), url: match[2] ?? '' }))
    .filter(({ number }) => Number.isInteger(number));
  return {
    words: wordsOf(body),
    sources: listed.map((match) => ({ number: Number(match[1]), url: match[2] ?? '' })),
    citations,
    extras,
  };
}

function isLabels(line: string, buttons: readonly string[]): boolean {
  return buttons.length > 0 && wordsOf(line) === wordsOf(buttons.join(' '));
}

/** Letters and digits only: what is left is what a person reads aloud. */
export function wordsOf(text: string): string {
  return text
    .replaceAll(LINK, ' $1 ')
    .replaceAll(/&lt;|&gt;|&amp;/g, ' ')
    .replaceAll(/^\s*(`{3,}|~{3,})\w*\s*$/gm, ' ')
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}
