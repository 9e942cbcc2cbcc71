import { parse as parseDomain } from 'tldts';
import { UNSPACED } from './characters.ts';

/** Tracking parameters, which do not identify the page. */
const TRACKING = /^(?:utm_\w+|fbclid|gclid|msclkid|mc_[ce]id|igshid|ref_src)$/i;

/** The characters that a link target may contain unencoded. Others could end the link or begin mark-up or an entity. */
const UNSAFE_IN_TARGET = /[\s()<>"'`\\|[\]{}^*~]/g;

/** The longest link target. */
const MAX_TARGET = 700;

/** How much of an unlinked address is shown. */
const MAX_SHOWN = 100;

/**
 * Returns one string per page: scheme, `www.`, default port, fragment, trailing slash, tracking parameters and parameter order
 * do not count. Null when it is not an http(s) address.
 */
export function canonicalUrl(address: string): string | null {
  const url = parseWeb(address);
  if (url === null) return null;
  const query = [...url.searchParams].filter(([name]) => !TRACKING.test(name)).map((pair) => pair.join('='));
  const path = url.pathname.replace(/\/+$/, '');
  return `${url.host.replace(/^www\./, '')}${path}${query.length > 0 ? `?${query.sort().join('&')}` : ''}`;
}

/** Encodes an address for a link on either platform; null when it must not become a link. */
export function linkTarget(address: string): string | null {
  const url = parseWeb(address);
  if (url === null) return null;
  const target = url.href
    .replace(UNSAFE_IN_TARGET, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
    // Slack decodes these inside a target.
    .replace(/&(?=#?\w+;)/g, '%26');
  return target.length <= MAX_TARGET ? target : null;
}

/** The site name, such as `example.com`; empty when there is none. */
export function siteOf(address: string): string {
  return parseWeb(address)?.hostname.replace(/^www\./, '') ?? '';
}

/** Shortens an address for a code span: without scheme, cut when long. */
export function shownAddress(address: string): string {
  const bare = address
    .trim()
    .replace(/^(?:https?:)?\/\/(?=.)/i, '')
    .replace(/[\s`]+/g, (run) => '%20'.repeat(run.length));
  return bare.length > MAX_SHOWN ? `${bare.slice(0, MAX_SHOWN).replace(/[\ud800-\udbff]$/, '')}…` : bare;
}

/** A stretch of plain text: words, or an address that a platform could link. */
export interface Stretch {
  readonly text: string;
  /** `bare`: without a scheme (a domain, a mail address), which not every platform links. Null: words. */
  readonly address: 'full' | 'bare' | null;
}

/** Letters of scripts without spaces: they may touch an address that they do not belong to. */
const TOUCHING = String.raw`${UNSPACED}\p{Script=Hangul}`;
/** What no address contains, for the class of an expression. */
export const ADDRESS_END = String.raw`\s<>"“”«»、。，；：！？（）「」『』【】《》〈〉`;
/** The bound keeps a row of addresses between such letters linear. */
const REST = `[^${ADDRESS_END}${TOUCHING}]*(?:[${TOUCHING}][^${ADDRESS_END}]{0,200})?`;
const LETTER = String.raw`[\p{L}\p{M}\p{N}_\-]`;
// A label is of Latin letters or of others: `site.example이다` ends before the Hangul.
const LATIN = String.raw`[\p{Script=Latin}\p{N}_\-]`;
const OTHER = String.raw`[[\p{L}\p{M}\p{N}_\-]--\p{Script=Latin}]`;
const OTHER_LETTER = String.raw`[[\p{L}\p{M}]--\p{Script=Latin}]`;
const LABEL = String.raw`(?:${LATIN}+|${OTHER_LETTER}${OTHER}*)`;
// A client may end it at a hyphen or a low line.
const TOP = String.raw`(?:(?:xn--[a-z\d\-]+|\p{Script=Latin}{2,})(?![\p{Script=Latin}\p{N}]|:\/\/)|${OTHER_LETTER}{2,}(?![[\p{L}\p{M}\p{N}]--\p{Script=Latin}]|:\/\/))`;
// A scheme is short. Mail addresses and domains are tried once in a row of labels, because a later label leads to the same end:
// without these bounds many dots would take quadratic time.
const START = String.raw`(?:(?<!${LETTER}\.|${LATIN})(?=${LATIN})|(?<!${LETTER}\.|${OTHER})(?=${OTHER_LETTER}))`;
const WITH_SCHEME = String.raw`[a-z][a-z0-9+.\-]{0,40}:\/\/${REST}`;
const SCHEMES = String.raw`(?:mailto|tel|sms|data|javascript|vbscript|file|slack|discord|steam):[^\s<>"]+`;
const DOMAIN = String.raw`(?:${LABEL}\.)+${TOP}(?:\(\)|(?::\d{1,5})?(?:[\/?#]${REST})?)`;
const MAIL = String.raw`(?<!${LETTER}[.+]?)${LETTER}+(?:[.+]${LETTER}+)*@${DOMAIN}`;
const ADDRESS = new RegExp(`(${WITH_SCHEME}|${SCHEMES})|${MAIL}|${START}${DOMAIN}`, 'giv');

/** Discord shows these without a scheme too, also behind other letters. */
const INVITE = /discord(?:\.gg|(?:app)?\.com\/invite)\//i;

/** Splits plain text into words and addresses. `isSource` decides where an address ends that letters touch. */
export function splitAddresses(
  text: string,
  isSource: (address: string) => boolean = () => false,
): readonly Stretch[] {
  if (!/[.:]/.test(text)) return [{ text, address: null }];
  const stretches: Stretch[] = [];
  let last = 0;
  ADDRESS.lastIndex = 0;
  for (let found = ADDRESS.exec(text); found !== null; found = ADDRESS.exec(text)) {
    const address = endAddress(found[0], isSource);
    const isFull = found[1] !== undefined || INVITE.test(address);
    if (address === '' || !(isFull || isDomain(address))) {
      // Inside a word that is no domain a scheme may begin: `Node.jsjavascript:alert(1)`.
      ADDRESS.lastIndex = found.index + ((found[0].codePointAt(0) ?? 0) > 0xffff ? 2 : 1);
      continue;
    }
    if (found.index > last) stretches.push({ text: text.slice(last, found.index), address: null });
    stretches.push({ text: address, address: isFull ? 'full' : 'bare' });
    last = found.index + address.length;
    ADDRESS.lastIndex = last;
  }
  if (last < text.length) stretches.push({ text: text.slice(last), address: null });
  return stretches;
}

/** Whether a client would link a bare domain or mail address: others (`works.However`, `Node.js`) are words. */
function isDomain(address: string): boolean {
  const host = /^(?:[^@/?#]*@)?([^/?#:()]*)/.exec(address)?.[1] ?? '';
  if (/^www\./i.test(host)) return true;
  // Names of RFC 6761 (`intranet.local`) are in no public list; a client may have its own.
  const { isIcann, isSpecialUse } = parseDomain(host, { validateHostname: false, detectSpecialUse: true });
  return isIcann === true || isSpecialUse === true;
}

const TOUCHED = new RegExp(`[${TOUCHING}]`, 'v');
/** Up to the first touching letter that does not begin a part of the address (`/wiki/脚注`). */
const UNTOUCHED = new RegExp(`^[^${TOUCHING}]*(?:(?<=[\\/=?&#:@.])[${TOUCHING}]+[^${TOUCHING}]*)*`, 'v');

/** Cuts off what does not belong to an address: letters that touch it, and the punctuation of its sentence. */
function endAddress(found: string, isSource: (address: string) => boolean): string {
  const whole = trimAddress(found);
  const touched = found.search(TOUCHED);
  if (touched === -1 || isSource(whole)) return whole;
  const shortest = trimAddress(found.slice(0, touched));
  return isSource(shortest) ? shortest : trimAddress(UNTOUCHED.exec(found)?.[0] ?? found);
}

/** Removes sentence punctuation and unmatched closing brackets from the end of an address. */
function trimAddress(address: string): string {
  let unmatched = address.split(')').length - address.split('(').length;
  let end = address.length;
  while (end > 0) {
    const isBracket = address.charAt(end - 1) === ')';
    if (isBracket && unmatched > 0) unmatched -= 1;
    else if (!/[.,;:!?'"*_~|\]}>…‹›’‘·،؛؟۔।॥]/.test(address.charAt(end - 1))) break;
    end -= 1;
  }
  // A bare `http://` keeps its slashes, because it must not become a link with the text behind it.
  const trimmed = address.slice(0, end);
  return address.includes('://') && !trimmed.includes('://') ? address : trimmed;
}

function parseWeb(address: string): URL | null {
  const url = URL.parse(address.trim());
  if (url === null || !/^https?:$/.test(url.protocol)) return null;
  // `https://bank.com@evil.example` shows another site than it leads to.
  return url.username === '' && url.password === '' && url.hostname.includes('.') ? url : null;
}
