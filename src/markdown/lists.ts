interface Level {
  /** The column of its marker in the source. */
  readonly column: number;
  /** The indent of its content in the output. */
  readonly content: number;
  readonly marker: number;
}

/** Two columns make a child: models indent by two even under `1. `, where CommonMark wants three. */
const STEP = 2;

/** The open list items. Columns refer to the source, indents to the output. */
export class Lists {
  readonly #maxDepth: number;
  #levels: Level[] = [];

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth;
  }

  get depth(): number {
    return this.#levels.length;
  }

  /** The indent of the innermost item's text. */
  get contentIndent(): number {
    return this.#levels.at(-1)?.content ?? 0;
  }

  /** Opens an item; returns the indent of its marker. */
  item(column: number, marker: string, behindMarker: boolean): number {
    const at = behindMarker ? (this.#levels.at(-1)?.column ?? 0) + STEP : column;
    this.#leave(at);
    const parent = this.#levels.at(-1);
    const indent = this.depth < this.#maxDepth ? (parent?.content ?? 0) : (parent?.marker ?? 0);
    this.#levels.push({ column: at, marker: indent, content: indent + marker.length + 1 });
    return indent;
  }

  /** Places a line that is no item. `leaves`: it ends items that it is not indented for; otherwise it continues lazily. */
  text(column: number, leaves: boolean): number {
    if (leaves) this.#leave(column);
    return this.contentIndent;
  }

  reset(): void {
    this.#levels = [];
  }

  #leave(column: number): void {
    this.#levels = this.#levels.filter((level) => column >= level.column + STEP);
  }
}
