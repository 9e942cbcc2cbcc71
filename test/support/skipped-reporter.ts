import type { Reporter, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node';

declare module 'vitest' {
  interface TaskMeta {
    /** What a test or suite cannot run without, and how to provide it: told when it is skipped. */
    needs?: string;
  }
}

/** Ends the run with one line that says how many tests were skipped and what each of them needs. */
export class SkippedReporter implements Reporter {
  #isFiltered = false;

  onInit(vitest: Vitest): void {
    this.#isFiltered = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = new Map<string, number>();
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        const needs = needsOf(test) ?? `what ${module.relativeModuleId} does not say`;
        skipped.set(needs, (skipped.get(needs) ?? 0) + 1);
      }
    }
    if (skipped.size === 0 || this.#isFiltered) return;
    const reasons = [...skipped].map(([needs, count]) => `${count} × ${needs}`);
    process.stdout.write(`   Skipped  for want of ${reasons.join(', ')}\n\n`);
  }
}

function needsOf(task: TestCase | TestSuite | TestModule): string | undefined {
  if (task.type === 'module') return undefined;
  return task.meta().needs ?? needsOf(task.parent);
}
