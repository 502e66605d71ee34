/** What is in the columns of an answer, and which views follow from it. */
import type { Answer } from "./answer";
import { isDate, isNumber, type Term } from "./terms";

export type Kind = "thing" | "number" | "date" | "text" | "point" | "empty";

export interface Column {
  name: string;
  place: number;
  kind: Kind;
}

export const VIEWS = ["Table", "Map", "Timeline", "Graph", "BarChart", "LineChart", "ScatterChart", "Raw"] as const;
export type View = (typeof VIEWS)[number];
const LOOKED_AT = 500;
const LATITUDE = /^(lat|latitude)$/i;
const LONGITUDE = /^(long|lon|lng|longitude)$/i;
const MOST_BARS = 60;

function kindOf(terms: Term[]): Kind {
  const all = (test: (term: Term) => boolean) => terms.every(test);
  if (!terms.length) return "empty";
  if (all((term) => term.kind === "iri" || term.kind === "blank")) return "thing";
  if (all(isNumber)) return "number";
  if (all(isDate)) return "date";
  return all((term) => term.kind === "literal" && /^\s*(<[^>]*>\s*)?point\s*\(/i.test(term.value)) ? "point" : "text";
}

export function columns(answer: Answer): Column[] {
  return answer.columns.map((name, place) => ({ name, place, kind: kindOf([...answer.column(place, LOOKED_AT)]) }));
}

export interface Position {
  latitude?: Column;
  longitude?: Column;
  point?: Column;
}

/** The columns that say where something is. */
export function position(found: Column[]): Position | null {
  const point = found.find((column) => column.kind === "point");
  const latitude = found.find((column) => column.kind === "number" && LATITUDE.test(column.name));
  const longitude = found.find((column) => column.kind === "number" && LONGITUDE.test(column.name));
  if (point) return { point };
  return latitude && longitude ? { latitude, longitude } : null;
}

/** The numbers that are no coordinates. */
export function measures(found: Column[]): Column[] {
  return found.filter(({ kind, name }) => kind === "number" && !LATITUDE.test(name) && !LONGITUDE.test(name));
}

const of = (found: Column[], ...kinds: Kind[]) => found.filter((column) => kinds.includes(column.kind));

/** The views that an answer can be shown in; the table always. */
export function possible(answer: Answer): View[] {
  if (answer.form === "boolean" || !answer.length) return [];
  const found = columns(answer);
  const can: Record<View, boolean> = {
    Table: true,
    Map: position(found) !== null,
    Timeline: of(found, "date").length > 0,
    Graph: answer.form === "graph" || of(found, "thing").length > 1,
    BarChart: measures(found).length > 0 && of(found, "thing", "text").length > 0,
    LineChart: measures(found).length > 0 && of(found, "date").length > 0,
    ScatterChart: measures(found).length > 1,
    Raw: true,
  };
  return VIEWS.filter((view) => can[view]);
}

/** The view that an answer opens in: the one that the query asks for by `#defaultView:`, else by what there is in it. */
export function chosen(answer: Answer, query: string): View {
  const can = possible(answer);
  const said = /^\s*#\s*defaultView:\s*(\w+)/im.exec(query)?.[1]?.toLowerCase();
  const wanted = can.find((view) => view.toLowerCase() === said);
  if (wanted) return wanted;
  if (can.includes("Map")) return "Map";
  const found = columns(answer);
  const isOneMeasure = found.length === 2 && can.includes("BarChart") && answer.length > 2 && answer.length <= MOST_BARS;
  return isOneMeasure ? "BarChart" : "Table";
}
