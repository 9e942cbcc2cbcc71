import {
  ChannelType,
  type Client,
  type GuildBasedChannel,
  OverwriteType,
  PermissionFlagsBits,
  Routes,
} from 'discord.js';
import { DIRECT_WORKSPACE } from '../../core/types.ts';
import { asRecords, asText } from '../../core/untrusted.ts';
import type { Names } from './markup.ts';
import type { DiscordRest } from './rest.ts';

/** The names that a guild has for its people, roles and channels, as far as the caches know them, for all who can read `channel`. */
export function namesIn(client: Client, guildId: string | null, channel: string): Names {
  const guild = client.guilds.cache.get(guildId ?? '');
  const here = guild?.channels.cache.get(channel);
  return {
    person: (id) => guild?.members.cache.get(id)?.displayName ?? null,
    role: (id) => guild?.roles.cache.get(id)?.name ?? null,
    channel: (id) => {
      const named = guild?.channels.cache.get(id);
      return here && named && isKnownTo(here, named) ? named.name : null;
    },
  };
}

export type KnownNames = ReturnType<typeof createNames>;

/** Names for what is read over REST. */
export function createNames(rest: DiscordRest) {
  let client: Client | null = null;
  return {
    /** From now on the caches of this client are used. */
    attach(connected: Client): void {
      client = connected;
    },
    /** The names for these messages of a guild's channel. A process without the gateway asks for the names of roles. */
    async for(
      messages: readonly object[],
      guildId: string,
      channel: string,
      signal: AbortSignal,
    ): Promise<Names> {
      if (client) return namesIn(client, guildId, channel);
      const hasRoles = guildId !== DIRECT_WORKSPACE && JSON.stringify(messages).includes('<@&');
      const asked = hasRoles ? rest.get(Routes.guildRoles(guildId), { signal, urgency: 'final' }) : null;
      // Without them a role is "@role".
      const roles = await asked?.catch(() => []);
      const names = new Map(asRecords(roles).map(({ id, name }) => [id, asText(name)]));
      return { person: () => null, role: (id) => names.get(id) ?? null, channel: () => null };
    },
  };
}

/** Whether everybody who can see `here` can see the channel: a name can be a secret that its mention does not tell. */
function isKnownTo(here: GuildBasedChannel, named: GuildBasedChannel): boolean {
  if (named.id === here.id) return true;
  if (named.type === ChannelType.PrivateThread) return false;
  const { everyone, cache } = here.guild.roles;
  const place = here.isThread() ? here.parent : here;
  // Whoever is let in by name may have no role that tells what else they see.
  const isForSome = place?.permissionOverwrites.cache.some(
    ({ id, type, allow }) => type === OverwriteType.Member && id !== here.client.user.id && allow.has(VIEW),
  );
  const isForAll = isForSome === false && cache.every(({ id }) => !sees(here, id) || sees(named, id));
  return isForAll || sees(named, everyone.id);
}

const VIEW = PermissionFlagsBits.ViewChannel;

function sees(channel: GuildBasedChannel, role: string): boolean {
  return channel.permissionsFor(role)?.has(VIEW) ?? false;
}
