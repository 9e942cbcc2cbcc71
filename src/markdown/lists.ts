interface Level {
  /** The column of its marker in the source. */
  readonly column: number;
  /** The indent of its content in the output. */
  readonly content: number;
  readonly marker: number;
}

/** The open list items. Columns refer to the source, indents to the output. */
export interface Lists {
  readonly depth: number;
  /** The indent of the innermost item's text. */
  readonly contentIndent: number;
  /** Opens an item; returns the indent of its marker. */
  item(column: number, marker: string, behindMarker: boolean): number;
  /** Places a line that is no item. `leaves`: it ends items that it is not indented for; otherwise it continues lazily. */
  text(column: number, leaves: boolean): number;
  reset(): void;
}

/** Two columns make a child: models indent by two even under `1. `, where CommonMark wants three. */
const STEP = 2;

export function createLists(maxDepth: number): Lists {
  let levels: Level[] = [];
  const leave = (column: number): void => {
    while (levels.length > 0 && column < (levels.at(-1)?.column ?? 0) + STEP) levels.pop();
  };
  return {
    get depth() {
      return levels.length;
    },
    get contentIndent() {
      return levels.at(-1)?.content ?? 0;
    },
    item(column, marker, behindMarker) {
      const at = behindMarker ? (levels.at(-1)?.column ?? 0) + STEP : column;
      leave(at);
      const parent = levels.at(-1);
      const indent = levels.length < maxDepth ? (parent?.content ?? 0) : (parent?.marker ?? 0);
      levels.push({ column: at, marker: indent, content: indent + marker.length + 1 });
      return indent;
    },
    text(column, leaves) {
      if (leaves) leave(column);
      return levels.at(-1)?.content ?? 0;
    },
    reset() {
      levels = [];
    },
  };
}
