import { researchMessagesContract } from '../../contracts/research-messages.ts';
import { openMessagesSide } from './research-side.ts';

researchMessagesContract('Slack', () => openMessagesSide());
