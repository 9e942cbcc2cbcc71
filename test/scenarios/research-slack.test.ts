import { startSlackSide } from '../support/sides.ts';
import { describeResearch } from './research-scenario.ts';

describeResearch('Slack', startSlackSide);
