import { describeResearch } from './research-scenario.ts';

describeResearch('agent');
