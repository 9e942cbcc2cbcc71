import { type Errand, type Scene, sweepBoth } from './kill-sweep.ts';
import type { ChaosRun, Outcome } from './run.ts';

const QUESTION = 'sweep the side effects of research';

/**
 * kill -9 at every numbered side effect of one research job, on each platform and each API, and a restart each time: one job
 * upstream or an explained failure, one report, one notification, and a card that says how it ended.
 */
export async function researchSweep(run: ChaosRun): Promise<Outcome[]> {
  return [...(await sweepBoth(researchOn('chat'), run)), ...(await sweepBoth(researchOn('agent'), run))];
}

function researchOn(api: 'chat' | 'agent'): Errand {
  return {
    name: `research on the ${api} API`,
    perplexity: { jobs: { takesMs: 240_000, speed: 240 } },
    // A job begun again after a kill takes another turn; nothing is limited here.
    env: {
      PERPLEXITY_API: api,
      RESEARCH_SUBMISSIONS_PER_MINUTE: '600',
      // The job takes a second: it is over at the first look, as it is with the usual pause.
      RESEARCH_FIRST_POLL_SECONDS: '1.5',
    },
    ask: (side) => side.mention(`research: ${QUESTION}`),
    isOver: (scene) => noticesOf(scene).length > 0 && isCardEnded(scene),
    faults: (scene, point) => faultsOf(scene, api, point),
    withinMs: 60_000,
    leastPoints: 40,
    stores: ['research', 'job'],
  };
}

function noticesOf({ side, place }: Scene): readonly string[] {
  const texts = side.posts(place).map(({ text }) => text);
  return texts.filter((text) => /Research (?:finished in|failed after)/.test(text));
}

function isCardEnded({ side, place }: Scene): boolean {
  return side.posts(place).some(({ text }) => /R-[2-9A-Z]{4} · (?:Done in|Failed after)/.test(text));
}

function faultsOf(scene: Scene, api: 'chat' | 'agent', point: string | null): string[] {
  const { perplexity, side, place } = scene;
  const faults: string[] = [];
  const jobs = perplexity.research.jobs.filter(({ question }) => question.includes(QUESTION));
  if (jobs.length > 1) faults.push(`${jobs.length} jobs upstream`);
  const notices = noticesOf(scene);
  if (notices.length !== 1) faults.push(`${notices.length} notifications`);
  for (const notice of notices) {
    const mentions = notice.match(/<@/g)?.length ?? 0;
    if (mentions !== 1) faults.push(`${mentions} mentions in the notification`);
    if (notice.includes('Research failed') && !mayHaveBeenLost(api, point, notice))
      faults.push(`no report: ${notice}`);
  }
  if (!isCardEnded(scene)) faults.push('the card does not say how it ended');
  const cards = side
    .posts(place)
    .filter(({ text }) => /R-[2-9A-Z]{4} · (?:Queued|Researching|Done|Failed)/.test(text));
  if (cards.length !== 1) faults.push(`${cards.length} cards`);
  return faults;
}

/**
 * The Agent API takes no key: what happened to a submission that was under way, nobody can know. That it is over is recorded
 * in one transaction with the first look's job.
 */
function mayHaveBeenLost(api: 'chat' | 'agent', point: string | null, notice: string): boolean {
  const isUnderWay = /stored in (?:research|job)|POST \/v1\/responses/.test(point ?? '');
  return api === 'agent' && isUnderWay && notice.includes('it may have been begun');
}
