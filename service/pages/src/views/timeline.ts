/** The timeline: a lane for each thing, a mark for each date, a line where a row has two of them. */
import { axisTop } from "d3-axis";
import { scaleUtc } from "d3-scale";
import { select } from "d3-selection";
import type { Answer } from "../answer";
import { dated, words } from "../cells";
import { columns } from "../columns";
import { find, link } from "../names";
import { counted, element } from "../setup";
import { draw, groups, legend, picture, SHAPES, widthOf } from "../svg";
import { moment, type Term } from "../terms";

const LANE = 28;
const TOP = 36;
const MOST_LANES = 150;
const LETTER = 6.6;

interface Event {
  lane: string;
  iri: string;
  from: number;
  to: number;
  words: string;
  group: number;
  said: string;
}

export async function show(host: HTMLElement, answer: Answer): Promise<SVGSVGElement> {
  const found = columns(answer);
  const dates = found.filter(({ kind }) => kind === "date");
  const named = found.filter(({ kind }) => kind === "thing" || kind === "text");
  await find(named.flatMap(({ place }) => [...answer.column(place)].flatMap((term) => (term.kind === "iri" ? [term.value] : []))));
  const [lane, by = lane] = named;
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
    events.push({ lane: lane ? words(thing) : "all", iri: thing?.kind === "iri" ? thing.value : "", from, to: Number.isNaN(to) ? from : to, words: told, group: by ? group.of(told) : 0, said: at.map(dated).join(" to ") });
  }
  const lanes = [...new Map(events.map((event) => [event.lane, event.iri]))].slice(0, MOST_LANES);
  const width = widthOf(host);
  const svg = width < 560 ? null : drawn(width, lanes, events);
  const much = new Set(events.map((event) => event.lane)).size;
  const note = `${counted(events.length, "date")} in ${counted(much, "lane")}${much > lanes.length ? `, of which ${lanes.length} are drawn` : ""}. A row with two dates is a span between them.`;
  host.append(svg ? element("div", { class: "scroll window-tall" }, svg) : listed(events), ...(by && svg ? [element("p", { class: "legend-title" }, by.name), legend(group.names)] : []), element("p", { class: "quiet" }, note));
  return svg ?? drawn(900, lanes, events);
}

function drawn(width: number, lanes: [string, string][], events: Event[]): SVGSVGElement {
  const names = Math.min(width * 0.32, Math.max(...lanes.map(([name]) => name.length), 4) * LETTER + 12);
  const height = TOP + lanes.length * LANE + 12;
  const svg = picture(width, height, `Timeline of ${counted(events.length, "date")}`);
  const times = events.flatMap(({ from, to }) => [from, to]);
  const scale = scaleUtc([Math.min(...times), Math.max(...times)], [names + 16, width - 110]).nice();
  const axis = draw("g", { transform: `translate(0 ${TOP - 8})`, class: "axis" });
  select<SVGGElement, unknown>(axis).call(axisTop<Date>(scale).ticks(Math.max(3, width / 130)).tickSize(-(height - TOP)));
  svg.append(axis);
  lanes.forEach(([name, iri], at) => {
    const y = TOP + at * LANE + LANE / 2;
    const room = Math.floor(names / LETTER);
    const label = draw("text", { x: 0, y: y + 4, class: "lane" }, name.length > room ? `${name.slice(0, room - 1)}…` : name, draw("title", {}, name));
    const address = link(iri);
    svg.append(address ? draw("a", { href: address }, label) : label);
    lane(svg, events.filter((event) => event.lane === name).sort((a, b) => a.from - b.from), y, scale, width);
  });
  return svg;
}

/** The marks of a lane; words beside them where there is room before the next. */
function lane(svg: SVGSVGElement, events: Event[], y: number, scale: (time: number) => number, width: number): void {
  const ends = [scale(events[0]?.from ?? 0), scale(events.at(-1)?.from ?? 0)];
  if (ends[1]! > ends[0]!) svg.append(draw("path", { d: `M${ends[0]} ${y}H${ends[1]}`, class: "tie" }));
  events.forEach((event, at) => {
    const [x, end] = [scale(event.from), scale(event.to)];
    if (end > x) svg.append(draw("path", { d: `M${x} ${y}H${end}`, class: `span g${event.group}` }));
    svg.append(draw("path", { d: SHAPES[event.group]!, class: `mark g${event.group}`, transform: `translate(${x} ${y})` }, draw("title", {}, `${event.words}, ${event.said}`)));
    const next = events[at + 1] ? scale(events[at + 1]!.from) - 12 : width;
    const begin = Math.max(x, end) + 9;
    if (begin + event.words.length * LETTER < next) svg.append(draw("text", { x: begin, y: y + 4, class: "beside" }, event.words));
  });
}

/** On a phone the same as a list. */
function listed(events: Event[]): HTMLElement {
  const list = element("ol", { class: "moments" });
  for (const event of [...events].sort((a, b) => b.from - a.from)) {
    const address = link(event.iri);
    const icon = draw("svg", { viewBox: "-8 -8 16 16", width: 16, height: 16, "aria-hidden": "true" }, draw("path", { d: SHAPES[event.group]!, class: `mark g${event.group}` }));
    const name = address ? element("a", { href: address }, event.lane) : event.lane;
    list.append(element("li", {}, icon, element("div", {}, element("span", { class: "quiet" }, event.said), element("p", {}, name, `: ${event.words}`))));
  }
  return list;
}
