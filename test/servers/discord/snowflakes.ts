const DISCORD_EPOCH = 1_420_070_400_000n;

/** The next id in order: by the clock, and above the last one even when the clock stands still or goes back. */
export function nextSnowflake(last: string, nowMs: number): string {
  const byClock = (BigInt(Math.floor(nowMs)) - DISCORD_EPOCH) << 22n;
  const afterLast = BigInt(last) + 1n;
  return (byClock > afterLast ? byClock : afterLast).toString();
}

/** What Discord takes for an id, and discord.js for the id in a route. */
export function isSnowflake(id: string): boolean {
  return /^\d{17,19}$/.test(id);
}
