const PARAGRAPHS = [
  'The first arrays have now run through a full winter, and the record is better than most had expected [1]. Output followed the forecast to within four percent, because the moon keeps its appointments. What surprised the operators was how little of the lost time came from storms and how much from the calendar of service ships [2].',
  'A fair comparison has to include the grid. A megawatt-hour that is known a year ahead needs no reserve behind it, and the operator’s outlook puts a number on that [3]. Seen this way the gap to offshore wind narrows, though it does not close [5].',
  'People on the coast see it from closer by. The survey found broad agreement, with fishing grounds as the one point of lasting dispute [4]. Where boats kept a marked lane through the array, complaints stopped within a season.',
];

const BLOCKS = [
  '| Site | Rated MW | Output GWh | Availability |\n| --- | ---: | ---: | ---: |\n| North Sound | 12 | 31.4 | 94 % |\n| Pentle Firth | 6 | 17.9 | 91 % |\n| Ramsey Race | 4 | 11.7 | 89 % |\n',
  '```python\ndef capacity_factor(gwh: float, megawatts: float) -> float:\n    """Share of the year at full power."""\n    return gwh * 1000 / (megawatts * 8760)\n\n\nprint(round(capacity_factor(31.4, 12), 3))  # 0.299\n```\n',
  '- **Moorings** held in every storm [1].\n- **Seals** of the nacelles did not: six of forty had to be changed [2].\n  - Spares took eleven days on average.\n  - Two sites now keep them on the quay.\n- **Cables** were buried deeper than planned.\n',
  '1. Read the [yearly report](https://energy.example.org/reports/tidal-2026).\n2. Compare it with the [cost tables](https://data.example.com/lcoe/2026-q3).\n3. Ask what the `availability` column leaves out.\n',
  '> “We plan the week by the tide table, and the tide table has never been late.” [3]\n',
  '```json\n{\n  "site": "North Sound",\n  "turbines": [{ "id": "NS-01", "hours": 8123 }, { "id": "NS-02", "hours": 7990 }],\n  "note": "``` inside a string stays inside"\n}\n```\n',
];

/** An answer of exactly `length` characters with headings, paragraphs, tables, fences, lists, links and citations. */
export function longAnswer(length: number): string {
  const parts: string[] = [];
  let written = 0;
  for (let section = 1; written < length; section++) {
    const part = [
      `## Section ${section}: the sea keeps time\n\n`,
      `${PARAGRAPHS[section % PARAGRAPHS.length]}\n\n`,
      `${BLOCKS[section % BLOCKS.length]}\n`,
      `${PARAGRAPHS[(section + 1) % PARAGRAPHS.length]}\n\n`,
    ].join('');
    parts.push(part);
    written += part.length;
  }
  // Cut back to the last whole section and fill up with plain words, so that no block is left open at the end.
  const last = written > length ? (parts.pop() ?? '') : '';
  const whole = parts.join('');
  const room = length - whole.length;
  return room === 0 && last === '' ? whole : whole + filler(room);
}

const END = 'That is the whole of it. END';

function filler(length: number): string {
  const words = 'and the tide went out and the tide came in '.repeat(Math.ceil(length / 43) + 1);
  return length <= END.length ? END.slice(END.length - length) : words.slice(0, length - END.length) + END;
}
