import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    isolate: false,
    // A long look at properties (CONTRIBUTING.md) takes its time.
    testTimeout: process.env['PROPERTY_RUNS'] === undefined ? 20_000 : 7_200_000,
    hookTimeout: 60_000,
    // Most tests wait for a service or a socket rather than for a core; each service holds a PGlite of some 250 MB.
    maxWorkers: 3,
    // Tests that run side by side only wait: for calls that are never answered.
    maxConcurrency: 24,
    // Real sockets, processes and a browser on a shared machine: CI tries a failed test once more, and the report names it.
    retry: process.env['CI'] ? 1 : 0,
  },
});
