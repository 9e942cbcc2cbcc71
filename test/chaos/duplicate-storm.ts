import { setTimeout as wait } from 'node:timers/promises';
import { startPerplexityServer } from '../servers/perplexity/server.ts';
import { NO_PERSONAL_LIMITS, startService } from '../support/service.ts';
import { areEnded, startDiscordSide, startSlackSide, until } from '../support/sides.ts';
import { withDatabase } from './database.ts';
import { type Asked, type ChaosRun, faultsOf, type Outcome, watch } from './run.ts';

/** 30 questions delivered ten times each: retries, twins, both sockets, replays, two processes on one Postgres. */
export async function duplicateStorm(run: ChaosRun): Promise<Outcome[]> {
  return withDatabase(run.databaseUrl ?? '', (databaseUrl) => storm(databaseUrl, run));
}

async function storm(databaseUrl: string, { random, isShort }: ChaosRun): Promise<Outcome[]> {
  const questions = isShort ? 10 : 30;
  const [slack, discord] = [await startSlackSide(), await startDiscordSide()];
  const perplexity = await startPerplexityServer({ tokensPerSecond: 200 });
  const env = NO_PERSONAL_LIMITS;
  const options = { ...slack.connection, ...discord.connection, perplexity, databaseUrl, env };
  const services = await Promise.all([startService(options), startService(options)]);
  const asked: Asked[] = [];
  const stops = [watch(slack, asked), watch(discord, asked)];
  try {
    for (let n = 0; n < questions; n++) {
      const side = n % 2 === 0 ? slack : discord;
      const text = `double ${n} ${Math.floor(random() * 1e9)}`;
      asked.push({ side, place: side.mention(text), text, first: null });
    }
    let deliveries = questions;
    for (let round = 1; round <= 9; round++) {
      for (const { side, place } of asked) {
        deliveries++;
        if (side === slack) slack.server.redeliver(place.thread, { retryAttempt: round % 4, sockets: 'all' });
        else discord.server.gateway.redeliver(place.thread);
      }
      await wait(random() * 400);
    }
    for (const side of [slack, discord]) {
      const mine = asked.filter((one) => one.side === side);
      const isOver = (): boolean => mine.every(({ place }) => areEnded(side.posts(place), 1));
      await until(side, 'every question has ended', 60_000, isOver).catch(() => undefined);
    }
    const faults = asked.flatMap(faultsOf);
    const requests = perplexity.requests.length;
    if (requests !== questions) faults.push(`${requests} model requests for ${questions} questions`);
    return [
      {
        check: 'duplicate storm, two replicas',
        figures: `${deliveries} deliveries of ${questions} questions`,
        faults,
      },
    ];
  } finally {
    for (const stop of stops) stop();
    await Promise.all(services.map((service) => service.kill('SIGKILL')));
    await Promise.all([slack.close(), discord.close(), perplexity.close()]);
  }
}
