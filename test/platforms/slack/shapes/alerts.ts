/** Alerts, issues, incidents, forms and polls of other apps. The shapes are those of well-known ones, the words are not. */
import {
  actions,
  button,
  byApp,
  context,
  header,
  line,
  mrkdwn,
  plain,
  rich,
  type Shape,
  section,
  text,
} from './shape.ts';

export const ALERTS: readonly Shape[] = [
  {
    name: 'a monitor with fields (Alertmanager)',
    message: {
      text: '',
      attachments: [
        {
          fallback: 'DiskFull db1',
          title: 'DiskFull',
          title_link: 'https://monitor.example/a/1',
          text: 'db1 is at 99 %',
          fields: [{ title: 'Severity', value: 'critical', short: true }],
        },
      ],
    },
    words: ['DiskFull (https://monitor.example/a/1)', 'db1 is at 99 %', 'Severity: critical'],
  },
  {
    name: 'a build in blocks',
    message: { text: '', blocks: [header('Build 421 failed'), section('step *test* broke on `main`')] },
    words: ['Build 421 failed', 'step *test* broke on `main`'],
  },
  {
    name: 'a pull request (GitHub)',
    message: {
      text: '',
      attachments: [
        {
          pretext: '[harbor/tides] Pull request opened by <https://git.example/kim|kim>',
          title: '#88 Read the gauge twice',
          title_link: 'https://git.example/88',
          text: 'Gauges drift &amp; jump.',
          fields: [{ title: 'Reviewers', value: 'lee' }],
          footer: 'harbor/tides',
          ts: '1764000000',
          fallback: '[harbor/tides] Pull request opened by kim',
        },
      ],
    },
    words: [
      'opened by kim (https://git.example/kim)',
      '#88 Read the gauge twice',
      'Gauges drift & jump.',
      'Reviewers: lee',
    ],
  },
  {
    name: 'an issue (Jira)',
    message: {
      text: '',
      attachments: [
        {
          fallback: '[no preview available]',
          blocks: [
            section('*lee* moved an issue to *Done*'),
            section('<https://jira.example/TIDE-9|TIDE-9 Buoy offline>', {
              fields: [mrkdwn('*Status*\nDone'), mrkdwn('*Assignee*\nmax')],
            }),
            context('Project Tidewatch'),
            actions(button('Comment'), { type: 'overflow', action_id: 'more', options: [] }),
          ],
        },
      ],
    },
    words: [
      'moved an issue to *Done*',
      'TIDE-9 Buoy offline (https://jira.example/TIDE-9)',
      '*Assignee*',
      'max',
      'Project Tidewatch',
    ],
  },
  {
    name: 'an incident (PagerDuty)',
    message: {
      text: 'Triggered #1207: pumps stopped',
      attachments: [
        {
          fallback: 'Incident',
          blocks: [
            section('*Service:* Lock gates'),
            section('*Urgency:* High'),
            actions(button('Acknowledge'), button('Resolve')),
          ],
        },
      ],
    },
    words: ['Triggered #1207: pumps stopped', '*Service:* Lock gates', '*Urgency:* High'],
  },
  {
    name: 'a graph with a threshold (Datadog)',
    message: {
      text: '',
      attachments: [
        {
          title: 'Triggered: salinity above 35 ‰',
          text: 'The last 5 minutes averaged *36.2*.\n@ops-oncall',
          fields: [
            { title: 'Tags', value: 'env:prod, estuary:north' },
            { title: 'Notified', value: '@ops-oncall-two' },
          ],
          image_url: 'https://graphs.example/1.png',
          fallback: 'Triggered: salinity',
        },
      ],
    },
    words: [
      'Triggered: salinity above 35 ‰',
      'averaged *36.2*',
      'Tags: env:prod, estuary:north',
      'Notified: @ops-oncall-two',
    ],
  },
  {
    name: 'an exception (Sentry)',
    message: {
      text: '',
      blocks: [
        section(':red_circle: <https://errors.example/1|*TypeError*>'),
        rich({ type: 'rich_text_preformatted', elements: [text('tide is undefined')] }),
        context('State: *Ongoing*   First Seen: *2 h ago*'),
        actions(button('Archive')),
      ],
    },
    words: ['*TypeError* (https://errors.example/1)', 'tide is undefined', 'First Seen: *2 h ago*'],
  },
  {
    name: 'a pipeline in fields',
    message: {
      text: 'Pipeline finished',
      blocks: [
        section('Pipeline finished'),
        { type: 'section', fields: [mrkdwn('*Branch*\nhatchery'), mrkdwn('*Duration*\n4m 2s')] },
        { type: 'divider' },
      ],
    },
    words: ['Pipeline finished', 'hatchery', '4m 2s'],
  },
  {
    name: 'the answers to a form (workflow)',
    message: {
      text: 'New request from kim',
      blocks: [
        rich(
          line(text('New request from kim\n\n')),
          line(text('What do you need?', { bold: true }), text('\nA second tide table\n')),
          line(text('By when?', { bold: true }), text('\nFriday')),
        ),
      ],
    },
    words: ['New request from kim', 'What do you need?', 'A second tide table', 'Friday'],
  },
  {
    name: 'a workflow with a button',
    message: {
      text: 'Please confirm the moorings.',
      blocks: [
        section('Please confirm the moorings.'),
        actions({ ...button('Done'), type: 'workflow_button' }),
      ],
    },
    words: ['Please confirm the moorings.'],
  },
  {
    name: 'a poll with votes',
    message: {
      text: "This content can't be displayed.",
      blocks: [
        section('*Where do we eat?*'),
        section('Harbour café `2`', { accessory: button('Vote') }),
        section('Pier kiosk `1`', { accessory: button('Vote') }),
        context('Anonymous · closes at noon'),
      ],
    },
    words: ['Where do we eat?', 'Harbour café `2`', 'Pier kiosk `1`', 'closes at noon'],
  },
  {
    name: 'a poll to tick',
    message: {
      text: 'Standup',
      blocks: [
        section('Which shift suits you?', {
          accessory: {
            type: 'checkboxes',
            action_id: 'c',
            options: [
              { text: mrkdwn('Early shift'), value: '1', description: plain('from six') },
              { text: mrkdwn('Late shift'), value: '2' },
            ],
          },
        }),
        actions({
          type: 'radio_buttons',
          action_id: 'r',
          options: [{ text: plain('No preference'), value: '3' }],
        }),
      ],
    },
    words: ['Which shift suits you?', 'Early shift', 'from six', 'Late shift', 'No preference'],
  },
].map(byApp);
