import { onDemand } from '../core/concurrency.ts';
import type { Metrics } from '../core/ports.ts';
import type { Exposition } from './server.ts';

/** Prometheus' view of the service: the core's counters and the process's own figures. */
export interface MetricsRegistry {
  readonly metrics: Metrics;
  /** Loads the library, which starts the process's own figures; what was counted before is not lost. */
  load(): Promise<void>;
  read(): Promise<Exposition>;
}

/** Counts from the start, with a library that is loaded later: a start has no time for it. */
export function createMetrics(): MetricsRegistry {
  const loaded = onDemand(async () => (await import('./prometheus.ts')).createRegistry());
  const count = (how: (metrics: Metrics) => void): void => void loaded().then(({ metrics }) => how(metrics));
  return {
    metrics: {
      heard: (platform, result) => count((metrics) => metrics.heard(platform, result)),
      unresolvedCitations: (platform, n) => count((metrics) => metrics.unresolvedCitations(platform, n)),
      answered: (platform, outcome, ms) => count((metrics) => metrics.answered(platform, outcome, ms)),
      researchStarted: (platform, api) => count((metrics) => metrics.researchStarted(platform, api)),
      researchEnded: (platform, outcome, ms) =>
        count((metrics) => metrics.researchEnded(platform, outcome, ms)),
      researchNoticed: (platform, outcome) => count((metrics) => metrics.researchNoticed(platform, outcome)),
    },
    load: async () => void (await loaded()),
    read: async () => (await loaded()).read(),
  };
}
