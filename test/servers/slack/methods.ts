/** Every Web API method the stand-in answers. */
import { text } from './arguments.ts';
import { isObject } from './blocks.ts';
import { chatMethods } from './chat.ts';
import type { Method } from './context.ts';
import { conversationMethods } from './conversations.ts';
import { fileMethods } from './files.ts';
import { statusMethods } from './status.ts';
import { streamMethods } from './streams.ts';
import { SlackError } from './types.ts';
import { BOT, TEAM } from './world.ts';

export const methods: Readonly<Record<string, Method>> = {
  ...chatMethods,
  ...streamMethods,
  ...conversationMethods,
  ...fileMethods,
  ...statusMethods,

  'auth.test': () => ({
    url: `https://${TEAM.domain}.slack.com/`,
    team: TEAM.name,
    user: BOT.name,
    team_id: TEAM.id,
    user_id: BOT.user,
    bot_id: BOT.id,
    is_enterprise_install: false,
  }),

  'apps.connections.open': (_args, { socketLink }) => ({ url: socketLink() }),

  'views.open'(args, { responses }) {
    const fault = responses.spend(text(args, 'trigger_id') ?? '', Date.now());
    if (fault !== null) throw new SlackError(fault);
    const view = args['view'];
    if (!isObject(view) || view['type'] !== 'modal' || !Array.isArray(view['blocks']))
      throw new SlackError('invalid_arguments', '[ERROR] a modal with blocks is required: view');
    return { view: { id: 'V0STANDIN', team_id: TEAM.id, ...view } };
  },
};
