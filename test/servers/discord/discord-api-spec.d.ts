/** The package ships its zod schemas without types; these are the ones used here, with the fields that are read. */
declare module 'discord-api-spec/zod' {
  interface Issue {
    readonly code: string;
    readonly message: string;
    readonly path: readonly PropertyKey[];
  }
  interface Schema {
    readonly def: { readonly shape: Readonly<Record<string, unknown>> };
    safeParse(
      value: unknown,
    ):
      | { readonly success: true }
      | { readonly success: false; readonly error: { readonly issues: readonly Issue[] } };
  }
  export const MessageCreateRequestSchema: Schema;
  export const MessageEditRequestPartialSchema: Schema;
  export const CreateTextThreadWithMessageRequestSchema: Schema;
  export const CreateTextThreadWithoutMessageRequestSchema: Schema;
  export const CreateForumThreadRequestSchema: Schema;
  export const UpdateThreadRequestPartialSchema: Schema;
  export const CreatePrivateChannelRequestSchema: Schema;
  export const IncomingWebhookInteractionRequestSchema: Schema;
  export const IncomingWebhookUpdateRequestPartialSchema: Schema;
  export const ModalInteractionCallbackRequestDataSchema: Schema;
  export const InteractionApplicationCommandAutocompleteCallbackStringDataSchema: Schema;
  export const ApplicationCommandUpdateRequestSchema: Schema;
}
