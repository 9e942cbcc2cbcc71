/**
 * Torments the whole service: real processes, the stand-ins, kill -9. One line per check and a JSON line at the end.
 *
 *   npm run chaos -- --seed 7            everything, the same way every time for the same seed
 *   npm run chaos -- --only kill-storm   one of them, or several with commas
 *   npm run chaos -- --short             small numbers, for CI
 *
 * Checks that need Postgres use TEST_DATABASE_URL, and are left out with a line when it is not set.
 */
import { parseArgs } from 'node:util';
import { askRush } from './ask-rush.ts';
import { duplicateStorm } from './duplicate-storm.ts';
import { faultyStreams } from './faulty-streams.ts';
import { flood } from './flood.ts';
import { fullDisk } from './full-disk.ts';
import { fullLoad } from './full-load.ts';
import { gatewayTakeover } from './gateway-takeover.ts';
import { killStorm } from './kill-storm.ts';
import { killSweep } from './kill-sweep.ts';
import { modelRate } from './model-rate.ts';
import { seeded } from './random.ts';
import { researchLoad } from './research-load.ts';
import { researchSweep } from './research-sweep.ts';
import type { ChaosRun, Outcome } from './run.ts';

const CHECKS: Readonly<
  Record<string, { readonly needsPostgres: boolean; run(run: ChaosRun): Promise<Outcome[]> }>
> = {
  'duplicate-storm': { needsPostgres: true, run: duplicateStorm },
  'kill-storm': { needsPostgres: false, run: killStorm },
  'kill-sweep': { needsPostgres: false, run: killSweep },
  'research-sweep': { needsPostgres: false, run: researchSweep },
  'research-load': { needsPostgres: true, run: researchLoad },
  'model-rate': { needsPostgres: true, run: modelRate },
  'gateway-takeover': { needsPostgres: true, run: gatewayTakeover },
  'full-disk': { needsPostgres: false, run: fullDisk },
  'ask-rush': { needsPostgres: false, run: askRush },
  'faulty-streams': { needsPostgres: false, run: faultyStreams },
  flood: { needsPostgres: false, run: flood },
  'full-load': { needsPostgres: false, run: fullLoad },
};

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    short: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(`npm run chaos -- [--seed N] [--short] [--only ${Object.keys(CHECKS).join('|')}]`);
  process.exit(0);
}

const databaseUrl = process.env['TEST_DATABASE_URL'] ?? null;
const only = values.only?.split(',');
const outcomes: Outcome[] = [];
for (const [name, check] of Object.entries(CHECKS)) {
  if (only && !only.includes(name)) continue;
  if (check.needsPostgres && !databaseUrl) {
    console.log(`left out: ${name}: TEST_DATABASE_URL is not set`);
    continue;
  }
  const run: ChaosRun = { random: seeded(`${values.seed} ${name}`), isShort: values.short, databaseUrl };
  for (const outcome of await check.run(run)) {
    outcomes.push(outcome);
    console.log(`${outcome.faults.length === 0 ? 'ok    ' : 'FAILED'} ${outcome.check}: ${outcome.figures}`);
    for (const fault of outcome.faults.slice(0, 10)) console.log(`         ${fault}`);
  }
}
const failed = outcomes.filter((outcome) => outcome.faults.length > 0).length;
console.log(JSON.stringify({ chaos: { seed: values.seed, checks: outcomes.length, failed, outcomes } }));
process.exit(failed === 0 ? 0 : 1);
