/** What a process costs, as Linux counts it. */
import { readFileSync } from 'node:fs';

/** Processor time so far, user and system, in milliseconds; 10 ms steps. Null when the process is gone or this is not Linux. */
export function cpuMs(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // After the name, which may hold anything but ends with the last parenthesis: utime and stime are fields 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
  } catch {
    return null;
  }
}

/** Memory in use, in MB; null as above. */
export function rssMb(pid: number): number | null {
  try {
    const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return kb === undefined ? null : Number(kb) / 1024;
  } catch {
    return null;
  }
}

/** USER_HZ, which is 100 wherever Node runs. */
const MS_PER_TICK = 10;

export interface Cost {
  readonly cpuMs: number | null;
  readonly rssIdleMb: number | null;
  readonly rssPeakMb: number | null;
}

/** Watches a process until the returned function is called. */
export function watchProcess(pid: number): () => Cost {
  const cpuBefore = cpuMs(pid);
  const rssIdleMb = rssMb(pid);
  let rssPeakMb = rssIdleMb;
  const timer = setInterval(() => {
    const rss = rssMb(pid);
    if (rss !== null) rssPeakMb = Math.max(rssPeakMb ?? 0, rss);
  }, 50);
  return () => {
    clearInterval(timer);
    const cpuAfter = cpuMs(pid);
    const used = cpuBefore === null || cpuAfter === null ? null : cpuAfter - cpuBefore;
    return { cpuMs: used, rssIdleMb, rssPeakMb };
  };
}
