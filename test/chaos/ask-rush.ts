import { startPerplexityServer } from '../servers/perplexity/server.ts';
import { NO_PERSONAL_LIMITS, startService } from '../support/service.ts';
import { type DiscordSide, startDiscordSide, until } from '../support/sides.ts';
import type { ChaosRun, Outcome } from './run.ts';

/**
 * Hundreds of `/ask` in one moment, in one channel of Discord, where the calls with an interaction's token count for the bot as well:
 * each is asked of the model, and paid, once, and answered once; no call meets a rate limit.
 */
export async function askRush({ isShort }: ChaosRun): Promise<Outcome[]> {
  const commands = isShort ? 60 : 300;
  const side = await startDiscordSide({ limits: 'strict' });
  const perplexity = await startPerplexityServer();
  const service = await startService({ ...side.connection, perplexity, env: NO_PERSONAL_LIMITS });
  try {
    const startedAt = performance.now();
    const { people } = side.server;
    for (let n = 0; n < commands; n++) {
      const user = people[n % people.length]?.username ?? '';
      side.server.command({ user, channel: 'general', name: 'ask', options: { question: `short ${n}` } });
    }
    const isOver = (): boolean => countAnswers(side) === commands;
    await until(side, 'every command has its answer', commands * 2_500, isOver).catch(() => undefined);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const faults: string[] = [];
    const expectAll = (what: string, count: number, expected: number): void => {
      if (count !== expected) faults.push(`${count} ${what}, ${expected} expected`);
    };
    expectAll('model requests', perplexity.requests.length, commands);
    expectAll('answers', countAnswers(side), commands);
    expectAll('calls refused by Discord', side.limits().refused, 0);
    const failed = service.log.filter(({ level, msg }) => level === 'error' || msg === 'side task failed');
    faults.push(...failed.map(({ msg, err }) => `log: ${msg} ${JSON.stringify(err)}`));
    return [{ check: 'rush of /ask on Discord', figures: `${commands} commands in ${seconds} s`, faults }];
  } finally {
    await service.kill('SIGKILL');
    await Promise.all([side.close(), perplexity.close()]);
  }
}

/**
 * How many answers stand complete, in threads and below their commands. A command whose first response comes too late, on a machine
 * that is too slow for the rush, is answered below a message made up for it.
 */
function countAnswers({ server }: DiscordSide): number {
  const places = ['general', ...server.history('general').flatMap(({ thread }) => thread ?? [])];
  return places.flatMap((place) => server.history(place)).filter(({ content }) => isComplete(content)).length;
}

function isComplete(content: string): boolean {
  return content.startsWith('You asked') && / · \d+\.\d s$/.test(content);
}
