/** HTML that models write around words. No platform draws it, so its words are shown without it. Other tags are text. */

/** Tags of text level, and blocks that only hold text. A tag that is added here is left out, and its words stay. */
const TAGS =
  'a abbr b bdi bdo big br center cite code data del details dfn div em font hr i ins kbd mark p q rp rt ruby s samp small ' +
  'span strike strong sub summary sup time tt u var wbr';

/** Tags that separate the words around them. */
const APART = /^<\/?(?:br|center|details|div|hr|p|summary)\b/i;

const LONGEST_TAG = 300;
const LONGEST_COMMENT = 1_200;

const NAME = `(?:${TAGS.replaceAll(' ', '|')})`;
const TAG = new RegExp(String.raw`<\/?${NAME}(?:\s[^<>]*|\/)?>`, 'iy');
const TAG_BEGUN = new RegExp(String.raw`^<(?:\/?(?:[a-z]{0,8}|${NAME}(?:\s[^<>]*|\/)))?$`, 'i');
const COMMENT = /<!--[^]*?-->/y;
const COMMENT_BEGUN = /^<!(?:-|--[^]*)?$/;

type Tag = { readonly state: 'open' } | { readonly state: 'closed'; readonly end: number };

/** Reads the tag or comment that begins at `at`: `open` while undecided, null when there is none. `ended`: nothing follows. */
export function readTag(text: string, at: number, ended: boolean): Tag | null {
  for (const [whole, begun, longest] of [
    [TAG, TAG_BEGUN, LONGEST_TAG],
    [COMMENT, COMMENT_BEGUN, LONGEST_COMMENT],
  ] as const) {
    const near = text.slice(at, at + longest);
    whole.lastIndex = 0;
    if (whole.test(near)) return { state: 'closed', end: at + whole.lastIndex };
    if (!ended && near.length < longest && begun.test(near)) return { state: 'open' };
  }
  return null;
}

/** What is shown in place of a tag. */
export function wordsOfTag(tag: string): string {
  return APART.test(tag) ? ' ' : '';
}
