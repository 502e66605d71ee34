/** What a comment in a query says of how its answer is shown: `#defaultView:Map{"layer": "?country", "hide": ["?lat", "?long"]}`. */

export interface Options {
  /** The name of the view as it is written; "" for none. */
  view: string;
  /** Columns that cards and tables leave out, without the question mark. */
  hide: string[];
  /** The column by which marks are told apart; "" leaves it to the view. */
  layer: string;
}

const COMMENT = /^[ \t]*#[ \t]*defaultView:[ \t]*(\w+)[ \t]*(\{.*\})?/im;
const bare = (name: unknown) => String(name).replace(/^[?$]/, "");

export function options(query: string): Options {
  const [, view = "", said = ""] = COMMENT.exec(query) ?? [];
  const { hide = [], layer = "" } = said ? read(said) : {};
  return { view, hide: [hide].flat().map(bare), layer: bare(layer) };
}

/** What is no JSON says nothing. */
function read(text: string): { hide?: string | string[]; layer?: string } {
  try {
    return JSON.parse(text) as ReturnType<typeof read>;
  } catch {
    return {};
  }
}
