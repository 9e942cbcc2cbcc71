import { elapsed } from '../explaining.ts';
import type { Question } from '../types.ts';
import { startOf } from './desk.ts';
import type { Created } from './ports.ts';

const MOST_NAMED = 5;

/** Why no further job begins, and what is under way instead. Other people's questions are theirs: they may be from elsewhere. */
export function refusalText(
  { by, running }: Extract<Created, { type: 'refused' }>,
  { asker }: Question,
  now: number,
): string {
  const whose = by === 'person' ? 'You have' : 'There are';
  const where = by === 'person' ? '' : ' here';
  const count = running.length === 1 ? '1 research job' : `${running.length} research jobs`;
  const lines = running.slice(0, MOST_NAMED).map((record) => {
    const since = elapsed(now - record.begunAt);
    const isOwn = record.question.asker.id === asker.id;
    return [record.name, ...(isOwn ? [startOf(record)] : []), since].join(' · ');
  });
  const rest = running.length > MOST_NAMED ? [`and ${running.length - MOST_NAMED} more`] : [];
  const what =
    by === 'person' ? 'Stop one, or ask again when one has finished.' : 'Ask again when one has finished.';
  return [`${whose} ${count}${where} under way, and no more may run at once:`, ...lines, ...rest, what].join(
    '\n',
  );
}
