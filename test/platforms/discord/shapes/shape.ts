/**
 * Messages as people, bots and webhooks write them on Discord, with what is to be read of each. GRACE, READERS, RANDOM and SECRET
 * stand for ids of the stand-in's town.
 */
import type { Sent } from '../../../servers/discord/saying.ts';

export interface Shape {
  readonly name: string;
  readonly by: 'person' | 'bot' | 'webhook';
  readonly sent: Omit<Sent, 'channel' | 'webhook'>;
  /** What the model reads. */
  readonly says: readonly string[];
  /** What it does not. */
  readonly hides?: readonly string[];
  /** Discord forwards no polls; of a post's preview in a forward nobody can tell that it is one. */
  readonly isNotForwarded?: true;
}
