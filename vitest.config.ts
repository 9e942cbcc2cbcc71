import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { COMPILED } from './test/support/service.ts';
import { SkippedReporter } from './test/support/skipped-reporter.ts';

// For the processes of the tests too, which otherwise would each compile everything.
process.env['NODE_COMPILE_CACHE'] ??= COMPILED;

/** From a minute down: what begins last would be waited for alone. */
const FIRST = [
  /research-faults/,
  /scenarios\/research|sandbox\/|test\/start|store\/(?:crash|data-dir)|slack\/hung/,
  /scenarios\/paid-once|discord\/(?:catch-up|crowd|gateway)|slack\/(?:research|socket)|markdown\/work/,
  /test\/(?:scenarios|platforms|store)\/|test\/(?:image|npm-start|proxied-service|perplexity\/network)/,
];

/** A fresh clone knows no durations, and Vitest then begins with the largest files. */
class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = FIRST.findIndex((pattern) => pattern.test(moduleId));
      return found === -1 ? FIRST.length : found;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    isolate: false,
    // Longer than any wait within a test, which says more when it fails. A long look at properties (CONTRIBUTING.md) takes its time.
    testTimeout: process.env['PROPERTY_RUNS'] === undefined ? 40_000 : 7_200_000,
    hookTimeout: 60_000,
    // Most tests wait for a service or a socket rather than for a core, but a service that starts takes two seconds of one. Each
    // holds a PGlite of some 250 MB.
    maxWorkers: 6,
    // Tests that are written to run at once do nothing but wait.
    maxConcurrency: 20,
    sequence: { sequencer: SlowFirst },
    reporters: ['default', new SkippedReporter()],
  },
});
