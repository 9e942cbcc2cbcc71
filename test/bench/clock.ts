/** Milliseconds since the epoch with fractions: the one clock of all processes of a run. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
