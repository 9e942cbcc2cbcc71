import { expect, test } from 'vitest';
import { discordCall } from './commands.ts';

test('Discord’s options are filled in from what is typed in one line', () => {
  const text = 'What does --amend do? --effort low --site a.org --site=-b.org --recent week --notify dm';
  expect(discordCall('research', text)).toEqual({
    name: 'research',
    options: {
      question: 'What does --amend do?',
      effort: 'low',
      sites: 'a.org, -b.org',
      recency: 'week',
      notify: 'dm',
    },
  });
  expect(discordCall('ask', '--model sonar-pro How far? --effort low').options).toEqual({
    question: 'How far? --effort low',
    model: 'sonar-pro',
  });
});

test('/jobs becomes one of its subcommands', () => {
  expect(discordCall('jobs', '')).toEqual({ name: 'jobs', subcommand: 'list' });
  expect(discordCall('jobs', 'stop  R-4F2K')).toEqual({
    name: 'jobs',
    subcommand: 'stop',
    options: { id: 'R-4F2K' },
  });
  expect(discordCall('jobs', 'R-4F2K')).toMatchObject({ subcommand: 'status', options: { id: 'R-4F2K' } });
  expect(() => discordCall('jobs', 'stop')).toThrow('Write the job’s id');
});
