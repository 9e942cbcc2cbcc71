/** A web page as both APIs describe it. */
export interface Page {
  readonly title: string;
  readonly url: string;
  readonly date: string;
  readonly snippet: string;
}

/** The pages every scripted answer cites, in order: `[1]` is the first. All hosts are reserved example names. */
export const PAGES: readonly Page[] = [
  {
    title: 'Tidal power in 2026: what the first year of arrays has shown',
    url: 'https://energy.example.org/reports/tidal-2026',
    date: '2026-11-03',
    snippet: 'The first commercial arrays delivered 61 GWh in their opening year, close to forecast.',
  },
  {
    title: 'How turbines survive the sea — an engineer’s notebook',
    url: 'https://notebook.example.com/2026/10/turbines-and-salt?utm_source=feed',
    date: '2026-10-18',
    snippet: 'Biofouling, not corrosion, was the main cause of unplanned stops.',
  },
  {
    title: 'Grid operator: winter outlook [summary]',
    url: 'https://grid.example.net/outlook/winter_(2026)',
    date: '2026-11-19',
    snippet: 'Predictable tides shift the value of a kilowatt-hour from price to timing.',
  },
  {
    title: 'Survey of coastal communities',
    url: 'https://www.example.org/surveys/coast',
    date: '2026-09-30',
    snippet: 'Two in three respondents were in favour, most of them for local jobs.',
  },
  {
    title: 'Cost of energy, third-quarter tables',
    url: 'https://data.example.com/lcoe/2026-q3',
    date: '2026-10-02',
    snippet: 'Tidal stream: 142 to 198 per MWh; offshore wind: 71 to 104 per MWh.',
  },
];
