import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    isolate: false,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Most tests wait for a service or a socket rather than for a core; each service holds a PGlite of some 250 MB.
    maxWorkers: 3,
  },
});
