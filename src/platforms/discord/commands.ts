import {
  type ButtonInteraction,
  type CacheType,
  type ChatInputCommandInteraction,
  type CommandInteractionOptionResolver,
  type Interaction,
  Message,
  type MessageContextMenuCommandInteraction,
} from 'discord.js';
import { DEFAULT_WISH, parseSites } from '../../core/commands/options.ts';
import { idFrom } from '../../core/ids.ts';
import type { ButtonPress, JobsRequest } from '../../core/ports.ts';
import {
  type AnswerOptions,
  DIRECT_WORKSPACE,
  EFFORTS,
  PROFILE_NAMES,
  type Question,
  RECENCIES,
} from '../../core/types.ts';
import { asRecord } from '../../core/untrusted.ts';
import { messageRef, threadRef } from './ids.ts';
import { cleanText } from './markup.ts';
import { readCustomId } from './messages.ts';
import { namesIn } from './names.ts';
import { isOwnConversation, personOf, quoteMessage, threadOf, titleOf } from './questions.ts';
import { readQuote } from './read-message.ts';

/** The command in the menu of a message, as manifests/discord-commands.json names it. */
const ASK_ABOUT = 'Ask about this';

type Options = Pick<CommandInteractionOptionResolver<CacheType>, 'getString'>;

/** Reads the question of `/ask` or `/research`; null for another command, or `problem` for options that cannot be used. */
export function questionFromCommand(
  interaction: ChatInputCommandInteraction,
): Question | { readonly problem: string } | null {
  const { commandName, options } = interaction;
  if (commandName !== 'ask' && commandName !== 'research') return null;
  const text = cleanText(options.getString('question') ?? '').trim();
  if (!text) return null;
  const sites = parseSites(options.getString('sites') ?? '');
  if ('problem' in sites) return sites;
  const base = questionBase(interaction);
  const isOwn = isOwnConversation(interaction.channel) || interaction.guildId === null;
  return {
    ...base,
    trigger: 'command',
    thread: isOwn ? threadRef(base.workspace, base.channel) : null,
    message: null,
    text,
    quotes: [],
    attachments: [],
    addressesOthers: false,
    overrides: readOverrides(options, sites.domains),
    ...(commandName === 'research' && { research: readWish(options) }),
  };
}

/** Reads the question of "Ask about this"; null for another command. */
export function questionFromShortcut(interaction: MessageContextMenuCommandInteraction): Question | null {
  if (interaction.commandName !== ASK_ABOUT) return null;
  const { targetMessage: target, guildId, channel } = interaction;
  // Where the bot is no member, discord.js passes on Discord's own object, whatever its types say.
  const isKnown = target instanceof Message;
  const base = questionBase(interaction);
  const names = namesIn(interaction.client, guildId, base.channel);
  return {
    ...base,
    trigger: 'shortcut',
    thread: threadOf({ id: target.id, channelId: base.channel, guildId, channel }),
    message: messageRef(base.workspace, base.channel, target.id),
    text: '',
    quotes: [isKnown ? quoteMessage(target) : readQuote(asRecord(target) ?? {}, names)],
    attachments: [],
    addressesOthers: false,
    overrides: {},
  };
}

/** Reads the press of a button of ours; null for another button. */
export function readPress(interaction: ButtonInteraction): ButtonPress | null {
  const carried = readCustomId(interaction.customId);
  if (!carried) return null;
  const { id: press } = interaction;
  return {
    ...carried,
    presser: personOf(interaction.user, interaction.member),
    press,
    delivery: readDelivery(interaction),
  };
}

/** Who uses `/jobs`, and where. */
export function readRequester(interaction: Interaction): Omit<JobsRequest, 'action' | 'job'> {
  const workspace = interaction.guildId ?? DIRECT_WORKSPACE;
  return { platform: 'discord', workspace, person: personOf(interaction.user, interaction.member) };
}

function questionBase(interaction: ChatInputCommandInteraction | MessageContextMenuCommandInteraction) {
  return {
    id: idFrom('discord', interaction.id),
    platform: 'discord' as const,
    workspace: interaction.guildId ?? DIRECT_WORKSPACE,
    channel: interaction.channelId,
    repliesTo: null,
    title: titleOf(interaction.channel),
    asker: personOf(interaction.user, interaction.member),
    delivery: readDelivery(interaction),
    askedAt: interaction.createdTimestamp,
  };
}

/** The manifest offers nothing else; what a stale client sends beyond it is left out. */
function readOverrides(options: Options, domains: readonly string[]): AnswerOptions {
  const profile = PROFILE_NAMES.find((known) => known === options.getString('model'));
  const recency = RECENCIES.find((known) => known === options.getString('recency'));
  return {
    ...(profile && { profile }),
    ...(recency && { recency }),
    ...(domains.length > 0 && { domains }),
  };
}

function readWish(options: Options): NonNullable<Question['research']> {
  const effort = EFFORTS.find((known) => known === options.getString('effort'));
  const notify = (['here', 'dm'] as const).find((known) => known === options.getString('notify'));
  return { ...DEFAULT_WISH, ...(effort && { effort }), ...(notify && { notify }) };
}

function readDelivery({ id, token, applicationId }: Interaction): Question['delivery'] {
  return { interaction: id, token, application: applicationId };
}
