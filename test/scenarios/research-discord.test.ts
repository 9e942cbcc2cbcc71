import { startDiscordSide } from '../support/sides.ts';
import { describeResearch } from './research-scenario.ts';

describeResearch('Discord', startDiscordSide);
