/** What is in the columns of an answer, and which views follow from it. */
import type { Answer } from "./answer";
import { options } from "./options";
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
  const said = options(query).view.toLowerCase();
  const wanted = can.find((view) => view.toLowerCase() === said);
  if (wanted) return wanted;
  if (can.includes("Map")) return "Map";
  const found = columns(answer);
  const isOneMeasure = found.length === 2 && can.includes("BarChart") && answer.length > 2 && answer.length <= MOST_BARS;
  return isOneMeasure ? "BarChart" : "Table";
}

const NEEDS: Record<View, string> = {
  Table: "rows",
  Map: "columns ?lat and ?long with numbers, or one with WKT points",
  Timeline: "a column of dates",
  Graph: "two columns of things",
  BarChart: "a column of numbers, and one of things or words",
  LineChart: "a column of numbers, and one of dates",
  ScatterChart: "two columns of numbers",
  Raw: "rows",
};

/** Why an answer with rows cannot open as the query asks; "" if it can. */
export function missing(answer: Answer, query: string): string {
  const { view } = options(query);
  const known = VIEWS.find((each) => each.toLowerCase() === view.toLowerCase());
  if (!view || (known && possible(answer).includes(known))) return "";
  return known ? `A ${known} needs ${NEEDS[known]}, which this answer has not.` : `There is no view ${view}; there are ${VIEWS.join(", ")}.`;
}

/** The column that tells marks apart: the one that the query names, else one that the view finds. */
export function layer(found: Column[], query: string, else_: () => Column | null | undefined): Column | null {
  const { layer } = options(query);
  return found.find(({ name, kind }) => name === layer && (kind === "thing" || kind === "text")) ?? else_() ?? null;
}
