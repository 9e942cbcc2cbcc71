import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createStops, type Stop } from '../../../src/core/answering/stop.ts';
import { memoryKeyValue, question, quietLog, THREAD } from '../fakes.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const ann = { id: 'U1', name: 'Ann' };

/** Two replicas over one store. */
function setup() {
  const store = memoryKeyValue();
  const stops: Stop[] = [];
  return { here: createStops(store, quietLog), there: createStops(store, quietLog), stops };
}

describe('stops', () => {
  test('an answer written here ends at once', async () => {
    const { here, stops } = setup();
    here.watch(question(), (stop) => stops.push(stop) > 0);
    await here.question(question().id, 'stopped', ann);
    expect(stops).toMatchObject([{ reason: 'stopped', by: ann }]);
  });

  test('an answer written by another replica ends within about a second', async () => {
    const { here, there, stops } = setup();
    there.watch(question(), (stop) => stops.push(stop) > 0);
    await here.question(question().id, 'stopped', ann);
    await vi.advanceTimersByTimeAsync(1_100);
    expect(stops).toHaveLength(1);
  });

  test('a stop for a thread ends what is being answered there, and not the next answer', async () => {
    const { here, stops } = setup();
    const watch = here.watch(question(), (stop) => stops.push(stop) > 0);
    await vi.advanceTimersByTimeAsync(10);
    await here.thread(THREAD, ann);
    expect(stops).toHaveLength(1);
    watch.end();
    await vi.advanceTimersByTimeAsync(10);
    here.watch(question({ id: 'q2' }), (stop) => stops.push(stop) > 0);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(stops).toHaveLength(1);
  });

  test('a stop that is not granted leaves the answer to those who may stop it, on either replica', async () => {
    const { here, there, stops } = setup();
    const watch = (stop: Stop): boolean => {
      stops.push(stop);
      return stop.by?.id === ann.id;
    };
    here.watch(question(), watch);
    there.watch(question(), watch);
    await here.thread(THREAD, { id: 'U2', name: 'Bob' });
    await vi.advanceTimersByTimeAsync(1_100);
    await here.thread(THREAD, ann);
    await vi.advanceTimersByTimeAsync(1_100);
    expect(stops.filter(({ by }) => by?.id === ann.id)).toHaveLength(2);
  });

  test('a question deleted while it waited is known when its turn comes', async () => {
    const { here, stops } = setup();
    await here.question(question().id, 'deleted', null);
    await here.watch(question(), (stop) => stops.push(stop) > 0).caughtUp;
    expect(stops).toMatchObject([{ reason: 'deleted' }]);
  });

  test('nothing is looked up while nothing is being answered', async () => {
    const store = memoryKeyValue();
    const stops = createStops(store, quietLog);
    const watch = stops.watch(question(), () => true);
    watch.end();
    const reads = store.reads();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(store.reads()).toBe(reads);
  });
});
