import { researchBoardContract } from '../../contracts/research-board.ts';
import { openBoardSide } from './board-side.ts';

researchBoardContract('Slack', () => openBoardSide());
