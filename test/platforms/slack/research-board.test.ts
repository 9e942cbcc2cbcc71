import { researchBoardContract } from '../../contracts/research-messages.ts';
import { openMessagesSide } from './board-side.ts';

researchBoardContract('Slack', () => openMessagesSide());
