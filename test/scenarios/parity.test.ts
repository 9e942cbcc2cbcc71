import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { type Reading, readAnswer, wordsOf } from '../support/read-answer.ts';
import { type ServiceProcess, startService } from '../support/service.ts';
import {
  areEnded,
  type Place,
  type Post,
  type Side,
  startDiscordSide,
  startSlackSide,
  until,
} from '../support/sides.ts';
import { CONVERSATIONS, type Conversation, type Step } from './conversations.ts';

interface Answered extends Reading {
  readonly posts: readonly Post[];
}

let sides: readonly Side[] = [];
let perplexity: PerplexityServer;
let service: ServiceProcess;

beforeAll(async () => {
  sides = [await startSlackSide(), await startDiscordSide()];
  perplexity = await startPerplexityServer({ tokensPerSecond: 400 });
  const connections = Object.assign({}, ...sides.map((side) => side.connection)) as Side['connection'];
  service = await startService({ ...connections, perplexity });
});

afterAll(async () => {
  await service.stop();
  await Promise.all([...sides.map((side) => side.close()), perplexity.close()]);
});

/** Has the conversation on one side and returns what was answered to each step. */
async function converse(side: Side, conversation: Conversation): Promise<Answered[]> {
  const answers: Answered[] = [];
  let place: Place | null = null;
  let seen = 0;
  for (const step of conversation.steps) {
    if (step.how === 'follow' && place) side.follow(place, step.say);
    else place = step.how === 'direct' ? side.direct(step.say) : side.mention(step.say);
    const here: Place = place ?? { channel: '', thread: '' };
    const posts = (): readonly Post[] => side.posts(here);
    const from = seen;
    await until(side, `an answer to "${step.say}"`, 15_000, () => areEnded(posts().slice(from), 1));
    const fresh = posts().slice(from);
    seen = posts().length;
    answers.push({ ...readAnswer(fresh), posts: fresh });
  }
  return answers;
}

function expectStep(answer: Answered, step: Step): void {
  let at = 0;
  for (const words of step.reads) {
    const found = answer.words.indexOf(wordsOf(words), at);
    const noticed = answer.extras.some((extra) => wordsOf(extra).includes(wordsOf(words)));
    expect(found >= 0 || noticed, `"${words}" in "${answer.words}" or ${JSON.stringify(answer.extras)}`).toBe(
      true,
    );
    at = Math.max(at, found);
  }
  expect(answer.sources.map((source) => source.number)).toEqual(step.sources);
  for (const notice of step.notices ?? []) {
    expect(
      answer.extras.some((extra) => extra.startsWith(notice)),
      JSON.stringify(answer.extras),
    ).toBe(true);
  }
  expect(answer.posts.at(-1)?.buttons).toEqual(step.buttons ?? answer.posts.at(-1)?.buttons);
}

describe('the same conversation on Slack and Discord', () => {
  test.each(CONVERSATIONS)('$name', async (conversation) => {
    const [onSlack = [], onDiscord = []] = await Promise.all(
      sides.map((side) => converse(side, conversation)),
    );
    for (const [index, step] of conversation.steps.entries()) {
      const [slack, discord] = [onSlack[index], onDiscord[index]];
      if (!slack || !discord) throw new Error('an answer is missing');
      expectStep(slack, step);
      expectStep(discord, step);
      if (step.isTable) expect(occurring(discord)).toEqual(occurring(slack));
      else expect(discord.words).toBe(slack.words);
      expect(discord.sources).toEqual(slack.sources);
      for (const { citations, sources } of [slack, discord]) {
        for (const citation of citations) {
          const listed = sources.find((source) => source.number === citation.number);
          if (listed) expect(citation.url).toBe(listed.url);
        }
      }
    }
  });
});

function occurring({ words }: Answered): string[] {
  return [...new Set(words.split(' '))].sort();
}
