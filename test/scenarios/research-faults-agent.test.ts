import { describeFaults } from './research-fault-table.ts';

describeFaults('agent');
