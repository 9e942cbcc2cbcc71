/** What was typed as a list of sites: as the API takes them, or one sentence on what is wrong. */
export type ParsedSites = { readonly domains: readonly string[] } | { readonly problem: string };

/** The API takes at most 20, of at most 253 characters. */
const MOST_SITES = 20;
const LONGEST_SITE = 253;
const SITE = /^-?[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:\/\S*)?$/;

/** Reads `a.org, -b.org`: host names between commas or spaces, one with a leading `-` is excluded; pasted addresses are understood. */
export function parseSites(text: string): ParsedSites {
  const sites = text
    .split(/[\s,;]+/)
    .map((site) =>
      site
        .toLowerCase()
        .replace(/^(-?)https?:\/\//, '$1')
        .replace(/\/+$/, ''),
    )
    .filter((site) => site !== '');
  const wrong = sites.find((site) => site.length > LONGEST_SITE || !SITE.test(site));
  if (wrong !== undefined)
    return { problem: `"${wrong.slice(0, 60)}" is no site. Write them as example.org, -example.com.` };
  const domains = [...new Set(sites)];
  return domains.length <= MOST_SITES ? { domains } : { problem: `At most ${MOST_SITES} sites.` };
}
