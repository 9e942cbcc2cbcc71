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
  readonly isAddress: boolean;
}

const REST = String.raw`[^\s<>"、。，」』）]*`;
const LETTER = String.raw`[\p{L}\p{M}\p{N}_\-]`;
// A scheme is short. Mail addresses and domains are tried once in a row of labels, because a later label leads to the same end:
// without these bounds many dots would take quadratic time.
const WITH_SCHEME = String.raw`\p{L}[\p{L}\p{M}\p{N}+.\-]{0,40}:\/\/${REST}`;
const SCHEMES = String.raw`(?:mailto|tel|sms|data|javascript|vbscript|file|slack|discord|steam):[^\s<>"]+`;
const DOMAIN = String.raw`(?:${LETTER}+\.)+\p{L}{2}${LETTER}*(?:(?:[\/?#]|:\d)${REST})?`;
const MAIL = String.raw`(?<!${LETTER}[.+]?)${LETTER}+(?:[.+]${LETTER}+)*@${DOMAIN}`;
const ADDRESS = new RegExp(`${WITH_SCHEME}|${SCHEMES}|${MAIL}|(?<!${LETTER}\\.?)${DOMAIN}`, 'giu');

/** Endings of file and product names that are no top-level domains, so no platform links them. */
const NOT_A_DOMAIN =
  /^[^/?#@:]*\.(?:js|jsx|tsx|mjs|cjs|json|jsonl|yaml|yml|toml|ini|txt|csv|tsv|xml|html|htm|css|scss|sql|log|pdf|doc|docx|xls|xlsx|ppt|pptx|png|jpg|jpeg|gif|svg|webp|mp3|wav|exe|dll|jar|cpp|hpp|java|kt|go|php|rb|env|lock|bak|tmp)$/i;

/** Splits plain text into words and addresses: URLs, bare domains, `www.`, invites, e-mail addresses. */
export function splitAddresses(text: string): readonly Stretch[] {
  if (!/[.:]/.test(text)) return [{ text, isAddress: false }];
  const stretches: Stretch[] = [];
  let last = 0;
  for (const found of text.matchAll(ADDRESS)) {
    const address = trimAddress(found[0]);
    if (address === '' || (NOT_A_DOMAIN.test(address) && !/^www\./i.test(address))) continue;
    if (found.index > last) stretches.push({ text: text.slice(last, found.index), isAddress: false });
    stretches.push({ text: address, isAddress: true });
    last = found.index + address.length;
  }
  if (last < text.length) stretches.push({ text: text.slice(last), isAddress: false });
  return stretches;
}

/** Removes sentence punctuation and unmatched closing brackets from the end of an address. */
function trimAddress(address: string): string {
  let unmatched = address.split(')').length - address.split('(').length;
  let end = address.length;
  while (end > 0) {
    const isBracket = address.charAt(end - 1) === ')';
    if (isBracket && unmatched > 0) unmatched -= 1;
    else if (!/[.,;:!?'"*_~|\]}>]/.test(address.charAt(end - 1))) break;
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
