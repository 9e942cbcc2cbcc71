import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    isolate: false,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Two at most: each store test holds a PGlite of some 200 MB, and the machines this runs on are small.
    maxWorkers: 2,
  },
});
