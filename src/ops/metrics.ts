import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Metrics } from '../core/ports.ts';

/** The core's counters, and the registry that `/metrics` shows, with the figures of the process. */
export function createMetrics(isRefused: () => boolean): {
  readonly metrics: Metrics;
  readonly registry: Registry;
} {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'footnote_' });
  const registers = [registry];
  createRefusedGauge(isRefused, registers);
  const messages = new Counter({
    name: 'footnote_messages_total',
    help: 'Messages that reached the intake, by what became of them',
    labelNames: ['platform', 'result'],
    registers,
  });
  const answers = new Counter({
    name: 'footnote_answers_total',
    help: 'Answers that ended, by outcome: done, redelivered, deleted, given-up or the kind of failure',
    labelNames: ['platform', 'outcome'],
    registers,
  });
  const unresolved = new Counter({
    name: 'footnote_citations_unresolved_total',
    help: "Citation markers that lead to none of the answer's sources; they stay plain text",
    labelNames: ['platform'],
    registers,
  });
  const seconds = new Histogram({
    name: 'footnote_answer_seconds',
    help: 'Time from taking up a question to its final message',
    labelNames: ['platform'],
    buckets: [1, 2, 5, 10, 20, 40, 80, 160, 320],
    registers,
  });
  const metrics: Metrics = {
    ...createResearchMetrics(registers),
    heard: (platform, result) => messages.inc({ platform, result }),
    unresolvedCitations: (platform, count) => unresolved.inc({ platform }, count),
    answered(platform, outcome, ms) {
      answers.inc({ platform, outcome });
      seconds.observe({ platform }, ms / 1000);
    },
  };
  return { metrics, registry };
}

function createRefusedGauge(isRefused: () => boolean, registers: Registry[]): Gauge {
  return new Gauge({
    name: 'footnote_perplexity_refused',
    help: '1 while Perplexity refuses the key or the account, else 0',
    registers,
    collect() {
      this.set(isRefused() ? 1 : 0);
    },
  });
}

function createResearchMetrics(
  registers: Registry[],
): Pick<Metrics, 'researchStarted' | 'researchEnded' | 'researchNoticed'> {
  const started = new Counter({
    name: 'footnote_research_started_total',
    help: 'Research jobs handed to Perplexity, by API',
    labelNames: ['platform', 'api'],
    registers,
  });
  const ended = new Counter({
    name: 'footnote_research_ended_total',
    help: 'Research jobs that ended, by outcome: done, stopped or why they failed',
    labelNames: ['platform', 'outcome'],
    registers,
  });
  const noticed = new Counter({
    name: 'footnote_research_notices_total',
    help: 'Notifications about ended research jobs: sent, unknown or undeliverable',
    labelNames: ['platform', 'outcome'],
    registers,
  });
  const seconds = new Histogram({
    name: 'footnote_research_seconds',
    help: 'Time from asking for a research job to its report',
    labelNames: ['platform'],
    buckets: [30, 60, 120, 300, 600, 1_200, 2_400, 3_600, 7_200, 86_400],
    registers,
  });
  return {
    researchStarted: (platform, api) => started.inc({ platform, api }),
    researchEnded(platform, outcome, ms) {
      ended.inc({ platform, outcome });
      if (outcome === 'done') seconds.observe({ platform }, ms / 1000);
    },
    researchNoticed: (platform, outcome) => noticed.inc({ platform, outcome }),
  };
}
