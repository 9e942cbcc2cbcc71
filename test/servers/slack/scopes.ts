/** The bot scope each Web API method needs, by Slack's reference; reading a conversation needs one per kind of it. */
import { SlackError } from './types.ts';
import { findChannel } from './world.ts';

export const SCOPES_OF_METHODS: Readonly<Record<string, readonly string[]>> = {
  'auth.test': [],
  // With the app-level token.
  'apps.connections.open': [],
  'views.open': [],
  'chat.startStream': ['chat:write'],
  'chat.appendStream': ['chat:write'],
  'chat.stopStream': ['chat:write'],
  'chat.postMessage': ['chat:write'],
  'chat.update': ['chat:write'],
  'chat.delete': ['chat:write'],
  'chat.postEphemeral': ['chat:write'],
  'chat.getPermalink': [],
  'assistant.threads.setStatus': ['chat:write'],
  'agents.sessions.setStatus': ['chat:write'],
  'conversations.open': ['im:write'],
  'conversations.replies': ['channels:history', 'groups:history', 'im:history', 'mpim:history'],
  'conversations.history': ['channels:history', 'groups:history', 'im:history', 'mpim:history'],
  'users.info': ['users:read'],
  'files.getUploadURLExternal': ['files:write'],
  'files.completeUploadExternal': ['files:write'],
  'files.info': ['files:read'],
  'reactions.add': ['reactions:write'],
  'reactions.remove': ['reactions:write'],
};

/** @throws {SlackError} `missing_scope`. `granted` is null for every scope there is. */
export function checkScopes(granted: readonly string[] | null, method: string, channel: string | null): void {
  if (granted === null) return;
  const needed = SCOPES_OF_METHODS[method];
  if (needed === undefined) throw new SlackError('missing_scope', `no scopes are known for ${method}`);
  const kind = findChannel(channel)?.kind === 'im' ? 'im:history' : 'channels:history';
  const [scope] = needed.length > 1 ? [kind] : needed;
  if (scope !== undefined && !granted.includes(scope))
    throw new SlackError('missing_scope', `needed: ${scope}`);
}
