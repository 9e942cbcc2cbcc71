import { Failure } from '../../core/failures.ts';
import type { DiscordRest } from './rest.ts';
import { asId, asObject } from './wire.ts';

/** The direct conversation with a person; that they refuse to be written to shows only when it is tried. @throws {Failure} */
export async function openDirect(rest: DiscordRest, personId: string): Promise<string> {
  const body = { recipient_id: personId };
  const channel = asId(asObject(await rest.post('/users/@me/channels', { body }))?.['id']);
  if (!channel) throw new Failure('unreachable', 'Discord opened no direct conversation');
  return channel;
}
