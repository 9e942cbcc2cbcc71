/** Turns what a person types into the text Slack stores. */
import { BOT, CHANNELS, PEOPLE } from './world.ts';

const TOKEN = /<(?:[@#!][^<>\s][^<>]*|https?:\/\/[^<>\s|]+(?:\|[^<>]*)?)>/g;

/** `@name` and `#name` become tokens, bare URLs are bracketed, `& < >` outside tokens are escaped. */
export function typed(text: string): string {
  let result = '';
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    result += plain(text.slice(end, match.index)) + match[0];
    end = match.index + match[0].length;
  }
  return result + plain(text.slice(end));
}

function plain(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/https?:\/\/[^\s<>]+/g, (url) => `<${url}>`)
    .replace(/(?<![\w@])@(\w+)/g, (whole, name: string) => {
      if (name === 'here' || name === 'channel' || name === 'everyone') return `<!${name}>`;
      const id = name === BOT.name ? BOT.user : PEOPLE.find((person) => person.name === name)?.id;
      return id === undefined ? whole : `<@${id}>`;
    })
    .replace(/(?<!\w)#([\w-]+)/g, (whole, name: string) => {
      const channel = CHANNELS.find((one) => one.name === name && one.kind === 'channel');
      return channel === undefined ? whole : `<#${channel.id}|${name}>`;
    });
}
