import {
  ApplicationCommandUpdateRequestSchema,
  CreateForumThreadRequestSchema,
  CreatePrivateChannelRequestSchema,
  CreateTextThreadWithMessageRequestSchema,
  CreateTextThreadWithoutMessageRequestSchema,
  IncomingWebhookInteractionRequestSchema,
  IncomingWebhookUpdateRequestPartialSchema,
  InteractionApplicationCommandAutocompleteCallbackStringDataSchema,
  MessageCreateRequestSchema,
  MessageEditRequestPartialSchema,
  ModalInteractionCallbackRequestDataSchema,
  UpdateThreadRequestPartialSchema,
} from 'discord-api-spec/zod';
import { DiscordError, invalidField } from './errors.ts';
import type { AllowedMentions } from './mentions.ts';
import type { UploadedFile } from './recording.ts';
import { isSnowflake } from './snowflakes.ts';
import type { Json } from './state.ts';

/** discord.js adds these to bodies whose schema does not name them; Discord takes no offence. */
const ADDED_BY_DISCORD_JS = ['tts', 'nonce', 'enforce_nonce'];

const SCHEMAS = {
  message: { schema: MessageCreateRequestSchema, extra: [] },
  edit: { schema: MessageEditRequestPartialSchema, extra: ADDED_BY_DISCORD_JS },
  response: { schema: IncomingWebhookInteractionRequestSchema, extra: ADDED_BY_DISCORD_JS },
  responseEdit: { schema: IncomingWebhookUpdateRequestPartialSchema, extra: ADDED_BY_DISCORD_JS },
  modal: { schema: ModalInteractionCallbackRequestDataSchema, extra: [] },
  choices: { schema: InteractionApplicationCommandAutocompleteCallbackStringDataSchema, extra: [] },
  threadFromMessage: { schema: CreateTextThreadWithMessageRequestSchema, extra: ['type'] },
  thread: { schema: CreateTextThreadWithoutMessageRequestSchema, extra: [] },
  post: { schema: CreateForumThreadRequestSchema, extra: [] },
  threadEdit: { schema: UpdateThreadRequestPartialSchema, extra: [] },
  dm: { schema: CreatePrivateChannelRequestSchema, extra: [] },
  command: { schema: ApplicationCommandUpdateRequestSchema, extra: ['type', 'nsfw'] },
} as const;

/**
 * Checks a body against Discord's own specification, and refuses keys it does not name.
 * @throws {DiscordError} 50035
 */
export function validate(kind: keyof typeof SCHEMAS, body: unknown): Json {
  const { schema, extra } = SCHEMAS[kind];
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new DiscordError(50035);
  const result = schema.safeParse(body);
  // Discord counts code points and the schema UTF-16 units: the length of `content` is checked below.
  const issues = result.success
    ? []
    : result.error.issues.filter(({ code, path }) => !(code === 'too_big' && path[0] === 'content'));
  const [issue] = issues;
  if (issue) throw invalidField(issue.path, 'BASE_TYPE_BAD', `${issue.code}: ${issue.message}`);
  const unknown = Object.keys(body).find(
    (key) => !(key in schema.def.shape) && !(extra as readonly string[]).includes(key),
  );
  if (unknown !== undefined) throw invalidField([unknown], 'UNKNOWN_KEY', `No such field: ${unknown}`);
  return body as Json;
}

/** The parts of a message body that are read here, after `validate`. */
export interface MessageBody {
  readonly content?: string | null;
  readonly embeds?: readonly Json[] | null;
  readonly components?: readonly Json[] | null;
  readonly attachments?: readonly { readonly id: string }[] | null;
  readonly sticker_ids?: readonly string[] | null;
  readonly flags?: number | null;
  readonly allowed_mentions?: AllowedMentions | null;
  readonly message_reference?: {
    readonly message_id: string;
    readonly channel_id?: string | null;
    readonly fail_if_not_exists?: boolean | null;
  } | null;
  readonly nonce?: string | number | null;
  readonly enforce_nonce?: boolean | null;
  readonly poll?: object | null;
}

export const Flags = {
  suppressEmbeds: 1 << 2,
  ephemeral: 1 << 6,
  loading: 1 << 7,
  suppressNotifications: 1 << 12,
  isVoice: 1 << 13,
  componentsV2: 1 << 15,
} as const;

const MAX_CONTENT = 2000;
const MAX_EMBEDS_TOTAL = 6000;
const MAX_V2_TEXT = 4000;
const MAX_COMPONENTS = 40;
const MAX_NONCE = 25;
const MAX_FILE_BYTES = 10 * 1024 * 1024;

/**
 * The rules of a message that the specification leaves out: lengths, flags, Components V2, allowed_mentions.
 * @param settable the flags this call may set
 * @throws {DiscordError} 50035, 40005
 */
export function checkMessage(body: MessageBody, settable: number, isV2Already = false): void {
  const { content, flags, embeds, components, nonce } = body;
  if (length(content) > MAX_CONTENT) {
    throw invalidField(['content'], 'BASE_TYPE_MAX_LENGTH', `Must be ${MAX_CONTENT} or fewer in length.`);
  }
  if (((flags ?? 0) & ~settable) !== 0)
    throw invalidField(['flags'], 'FLAGS_INVALID', 'Flag cannot be set here.');
  if (typeof nonce === 'string' && nonce.length > MAX_NONCE) {
    throw invalidField(['nonce'], 'BASE_TYPE_MAX_LENGTH', `Must be ${MAX_NONCE} or fewer in length.`);
  }
  const embedText = (embeds ?? []).reduce((sum, embed) => sum + embedLength(embed), 0);
  if (embedText > MAX_EMBEDS_TOTAL) {
    throw invalidField(['embeds'], 'MAX_EMBED_SIZE_EXCEEDED', `Embed size exceeds ${MAX_EMBEDS_TOTAL}.`);
  }
  checkAllowedMentions(body.allowed_mentions);
  checkReference(body);
  checkComponents(body, components ?? [], isV2Already || ((flags ?? 0) & Flags.componentsV2) !== 0);
}

function checkReference({ message_reference: reference }: MessageBody): void {
  if (reference && !isSnowflake(reference.message_id)) {
    throw invalidField(['message_reference', 'message_id'], 'NUMBER_TYPE_COERCE', 'Value is not snowflake.');
  }
}

function checkAllowedMentions(allowed: AllowedMentions | null | undefined): void {
  for (const kind of ['users', 'roles'] as const) {
    const isBoth = allowed?.parse?.includes(kind) && (allowed[kind]?.length ?? 0) > 0;
    if (isBoth) {
      const message = `parse:["${kind}"] and ${kind}: [ids...] are mutually exclusive.`;
      throw invalidField(['allowed_mentions'], 'MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE', message);
    }
  }
}

function checkComponents(body: MessageBody, components: readonly Json[], isV2: boolean): void {
  const all = flatten(components);
  const ids = all.map((component) => component['custom_id']).filter((id) => id !== undefined);
  if (new Set(ids).size < ids.length) {
    throw invalidField(['components'], 'COMPONENT_CUSTOM_ID_DUPLICATED', 'Custom id cannot be duplicated.');
  }
  if (!isV2) {
    const isTooMany = components.length > 5;
    if (isTooMany)
      throw invalidField(['components'], 'BASE_TYPE_BAD_LENGTH', 'Must be 5 or fewer in length.');
    const v2Only = components.find((component) => component['type'] !== 1);
    if (v2Only)
      throw invalidField(['components'], 'UNION_TYPE_CHOICES', 'Only action rows without IS_COMPONENTS_V2.');
    return;
  }
  const isMixed = Boolean(body.content) || (body.embeds?.length ?? 0) > 0 || Boolean(body.poll);
  if (isMixed) {
    throw invalidField(
      ['content'],
      'MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2',
      'Not with Components V2.',
    );
  }
  const text = all.reduce(
    (sum, component) => sum + (component['type'] === 10 ? length(component['content']) : 0),
    0,
  );
  if (all.length > MAX_COMPONENTS || text > MAX_V2_TEXT) {
    throw invalidField(
      ['components'],
      'COMPONENT_MAX_TOTAL_EXCEEDED',
      `Over ${MAX_COMPONENTS} or ${MAX_V2_TEXT}.`,
    );
  }
}

/** Components with all that is nested in them. */
export function flatten(components: readonly Json[]): Json[] {
  return components.flatMap((component) => {
    const nested = Array.isArray(component['components']) ? (component['components'] as Json[]) : [];
    const accessory = component['accessory'];
    return [component, ...flatten(nested), ...(accessory ? [accessory as Json] : [])];
  });
}

/** In code points, as Discord counts. */
function length(value: unknown): number {
  return typeof value === 'string' ? Array.from(value).length : 0;
}

/** What counts towards the 6,000 of all embeds. */
function embedLength(embed: Json): number {
  const fields = Array.isArray(embed['fields']) ? (embed['fields'] as Json[]) : [];
  const footer = embed['footer'] as { text?: unknown } | undefined;
  const author = embed['author'] as { name?: unknown } | undefined;
  const inFields = fields.reduce((sum, field) => sum + length(field['name']) + length(field['value']), 0);
  return (
    length(embed['title']) +
    length(embed['description']) +
    length(footer?.text) +
    length(author?.name) +
    inFields
  );
}

/** Whether nothing at all would be shown. */
export function isEmpty(body: MessageBody, files: readonly UploadedFile[]): boolean {
  const lists = [body.embeds, body.components, body.sticker_ids, files];
  return !body.content?.trim() && !body.poll && lists.every((list) => (list?.length ?? 0) === 0);
}

/** @throws {DiscordError} 40005 for a file over 10 MiB, 50035 for one that is not in a field `files[n]` */
export function checkFiles(files: readonly UploadedFile[]): void {
  const stray = files.find(({ field }) => !/^files\[\d\]$/.test(field));
  if (stray)
    throw invalidField([stray.field], 'UNKNOWN_KEY', 'Files belong in the fields files[0] to files[9].');
  if (files.some(({ size }) => size > MAX_FILE_BYTES)) throw new DiscordError(40005);
}
