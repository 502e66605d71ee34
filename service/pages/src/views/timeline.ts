/** The timeline: a lane for each thing, a mark for each date, a line where a row has two of them. */
import { axisTop } from "d3-axis";
import { scaleUtc } from "d3-scale";
import { select } from "d3-selection";
import { dated, words } from "../cells";
import { columns, layer } from "../columns";
import { find, link } from "../names";
import { options } from "../options";
import { Picking, type Mark } from "../picking";
import type { Selection } from "../selection";
import { button, counted, element } from "../setup";
import { draw, groups, legend, picture, SHAPES, widthOf, type Drawing, type Drawn } from "../svg";
import { moment, type Term } from "../terms";

const LANE = 28;
const TOP = 36;
const MOST_LANES = 150;
const LETTER = 6.6;

interface Event {
  row: number;
  lane: string;
  iri: string;
  from: number;
  to: number;
  words: string;
  group: number;
  said: string;
}

export async function show(host: HTMLElement, { answer, query, selection }: Drawing): Promise<Drawn> {
  const found = columns(answer);
  const dates = found.filter(({ kind }) => kind === "date");
  const named = found.filter(({ kind }) => kind === "thing" || kind === "text");
  await find(named.flatMap(({ place }) => [...answer.column(place)].flatMap((term) => (term.kind === "iri" ? [term.value] : []))));
  const lane = named[0];
  const by = layer(found, query, () => named[1] ?? lane);
  const group = groups(by ? answer.lines.map((_, row) => words(answer.row(row)[by.place])) : []);
  const events: Event[] = [];
  for (let row = 0; row < answer.length; row++) {
    const terms = answer.row(row);
    const [first, second] = dates.map(({ place }) => terms[place]);
    const at = [first, second].filter((term): term is Term => term !== undefined);
    if (!at.length) continue;
    const [from, to] = [moment(at[0]!), moment(at.at(-1)!)];
    if (Number.isNaN(from)) continue;
    const told = by ? words(terms[by.place]) : "";
    const thing = lane ? terms[lane.place] : undefined;
    events.push({ row, lane: lane ? words(thing) : "all", iri: thing?.kind === "iri" ? thing.value : "", from, to: Number.isNaN(to) ? from : to, words: told, group: by ? group.of(told) : 0, said: at.map(dated).join(" to ") });
  }
  const lanes = [...new Map(events.map((event) => [event.lane, event.iri]))].slice(0, MOST_LANES);
  const width = widthOf(host);
  const isNarrow = width < 560;
  const { svg, marks } = drawn(isNarrow ? 900 : width, lanes, events);
  const much = new Set(events.map((event) => event.lane)).size;
  const note = `${counted(events.length, "date")} in ${counted(much, "lane")}${much > lanes.length && !isNarrow ? `, of which ${lanes.length} are drawn` : ""}. A row with two dates is a span between them.`;
  const frame = element("div", { class: "chart" }, svg);
  const list = isNarrow ? listed(events, selection) : null;
  host.append(list?.node ?? element("div", { class: "scroll window-tall" }, frame), ...(by && !isNarrow ? [element("p", { class: "legend-title" }, by.name), legend(group.names)] : []), element("p", { class: "quiet" }, note));
  return { svg, tell: list?.tell ?? new Picking(frame, svg, answer, selection, marks, options(query).hide).tell };
}

function drawn(width: number, lanes: [string, string][], events: Event[]): { svg: SVGSVGElement; marks: Mark[] } {
  const names = Math.min(width * 0.32, Math.max(...lanes.map(([name]) => name.length), 4) * LETTER + 12);
  const height = TOP + lanes.length * LANE + 12;
  const svg = picture(width, height, `Timeline of ${counted(events.length, "date")}`);
  const times = events.flatMap(({ from, to }) => [from, to]);
  const scale = scaleUtc([Math.min(...times), Math.max(...times)], [names + 16, width - 110]).nice();
  const axis = draw("g", { transform: `translate(0 ${TOP - 8})`, class: "axis" });
  select<SVGGElement, unknown>(axis).call(axisTop<Date>(scale).ticks(Math.max(3, width / 130)).tickSize(-(height - TOP)));
  svg.append(axis);
  const marks: Mark[] = [];
  lanes.forEach(([name, iri], at) => {
    const y = TOP + at * LANE + LANE / 2;
    const room = Math.floor(names / LETTER);
    const label = draw("text", { x: 0, y: y + 4, class: "lane" }, name.length > room ? `${name.slice(0, room - 1)}…` : name, draw("title", {}, name));
    const address = link(iri);
    svg.append(address ? draw("a", { href: address }, label) : label);
    marks.push(...lane(svg, events.filter((event) => event.lane === name).sort((a, b) => a.from - b.from), y, scale, width));
  });
  return { svg, marks };
}

/** The marks of a lane; words beside them where there is room before the next. */
function lane(svg: SVGSVGElement, events: Event[], y: number, scale: (time: number) => number, width: number): Mark[] {
  const ends = [scale(events[0]?.from ?? 0), scale(events.at(-1)?.from ?? 0)];
  if (ends[1]! > ends[0]!) svg.append(draw("path", { d: `M${ends[0]} ${y}H${ends[1]}`, class: "tie" }));
  return events.map((event, at) => {
    const [x, end] = [scale(event.from), scale(event.to)];
    const nodes: SVGElement[] = end > x ? [draw("path", { d: `M${x} ${y}H${end}`, class: `span g${event.group}` })] : [];
    nodes.push(draw("path", { d: SHAPES[event.group]!, class: `mark g${event.group}`, transform: `translate(${x} ${y})` }));
    const next = events[at + 1] ? scale(events[at + 1]!.from) - 12 : width;
    const begin = Math.max(x, end) + 9;
    if (begin + event.words.length * LETTER < next) nodes.push(draw("text", { x: begin, y: y + 4, class: "beside" }, event.words));
    svg.append(...nodes);
    return { rows: [event.row], nodes, at: () => [x, y] };
  });
}

/** On a phone the same as a list; the mark of a row is the button that picks it. */
function listed(events: Event[], selection: Selection): { node: HTMLElement; tell: () => void } {
  const list = element("ol", { class: "moments" });
  const buttons = [...events].sort((a, b) => b.from - a.from).map((event) => {
    const address = link(event.iri);
    const pick = button("", () => selection.pick([event.row], true), "pick");
    pick.setAttribute("aria-label", `Pick ${event.lane}, ${event.words}`);
    pick.append(draw("svg", { viewBox: "-8 -8 16 16", width: 16, height: 16, "aria-hidden": "true" }, draw("path", { d: SHAPES[event.group]!, class: `mark g${event.group}` })));
    const name = address ? element("a", { href: address }, event.lane) : event.lane;
    list.append(element("li", {}, pick, element("div", {}, element("span", { class: "quiet" }, event.said), element("p", {}, name, `: ${event.words}`))));
    return [event.row, pick] as const;
  });
  const tell = () => {
    for (const [row, pick] of buttons) {
      pick.setAttribute("aria-pressed", String(selection.has(row)));
      pick.closest("li")!.classList.toggle("picked", selection.has(row));
    }
  };
  return { node: list, tell };
}
