import { expect, test } from 'vitest';
import { createMetrics } from '../../src/ops/metrics.ts';

test('what is counted is read', async () => {
  const { metrics, registry } = createMetrics(() => true);
  metrics.heard('slack', 'accepted');
  metrics.heard('slack', 'accepted');
  metrics.answered('discord', 'done', 1_500);
  const text = await registry.metrics();
  expect(registry.contentType).toMatch(/^text\/plain; version=/);
  expect(text).toContain('footnote_messages_total{platform="slack",result="accepted"} 2\n');
  expect(text).toContain('footnote_answers_total{platform="discord",outcome="done"} 1\n');
  expect(text).toContain('footnote_answer_seconds_sum{platform="discord"} 1.5\n');
  expect(text).toContain('footnote_perplexity_refused 1\n');
  expect(text).toMatch(/^footnote_process_start_time_seconds \d+$/m);
});
