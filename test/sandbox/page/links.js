/** Which place on this page an address of the platform means. */

const SLACK = /^https:\/\/[\w-]+\.slack\.com\/archives\/(\w+)\/p(\d{10})(\d{6})(?:\?thread_ts=([\d.]+))?/;
const DISCORD = /^https:\/\/discord\.com\/channels\/(?:@me|\d+)\/(\d+)(?:\/(\d+))?$/;

/** Null for an address that leads out of the conversations of this side. */
export function linkedPlace(href, { channels, threads }) {
  const slack = SLACK.exec(href);
  const discord = DISCORD.exec(href);
  if (slack) return known(channels, slack[1], slack[4] ?? null, `${slack[2]}.${slack[3]}`);
  if (!discord) return null;
  const thread = threads.find(({ id }) => id === discord[1]);
  return known(channels, thread?.channel ?? discord[1], thread?.id ?? null, discord[2] ?? null);
}

function known(channels, channel, thread, message) {
  return channels.some(({ id }) => id === channel) ? { channel, thread, message } : null;
}
