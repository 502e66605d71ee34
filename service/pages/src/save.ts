/** Files from a picture: SVG and PNG as they are seen, with their key and where they are from; places as GeoJSON. */
import type { Answer } from "./answer";
import { columns, position } from "./columns";
import { draw, type Drawn } from "./svg";

const KEPT = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "font-family", "font-size", "font-weight", "opacity", "paint-order", "text-anchor", "vector-effect"];
const SHARPNESS = 2;
const LETTER = 7;
const LINE = 24;
const PAD = 12;

/** A picture that stands alone: what the style sheet says of each part is written into it, and its key stands below. */
function alone({ svg, painted }: Drawn, words: string): SVGSVGElement {
  const { width, height } = svg.viewBox.baseVal;
  const added = [...(painted?.() ?? []), ...key(svg, width, height, words)];
  svg.append(...added);
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const parts = [...copy.querySelectorAll<SVGElement>("*")];
  [...svg.querySelectorAll<SVGElement>("*")].forEach((part, at) => {
    const seen = getComputedStyle(part);
    for (const property of KEPT) {
      const value = seen.getPropertyValue(property);
      if (value) parts[at]!.setAttribute(property, value);
    }
    for (const name of ["style", "class"]) parts[at]!.removeAttribute(name);
  });
  for (const part of added) part.remove();
  const below = Math.max(...added.map((part) => Number(part.dataset.low ?? 0))) + PAD;
  const [whole, tall] = [width + 2 * PAD, Math.max(height, below) + PAD];
  copy.prepend(draw("rect", { x: -PAD, y: -PAD, width: whole, height: tall, fill: getComputedStyle(document.body).backgroundColor }));
  const said = { xmlns: "http://www.w3.org/2000/svg", viewBox: `${-PAD} ${-PAD} ${whole} ${tall}`, width: whole, height: tall };
  for (const [name, value] of Object.entries(said)) copy.setAttribute(name, String(value));
  for (const name of ["class", "style"]) copy.removeAttribute(name);
  return copy;
}

/** What stands below a picture: the marks with their words, and a line of words. */
function key(svg: SVGSVGElement, width: number, height: number, words: string): SVGElement[] {
  let [x, y] = [8, height + LINE / 2];
  const items = [...(svg.closest(".panel")?.querySelectorAll(".legend li") ?? [])].map((item) => {
    const text = item.textContent ?? "";
    const wide = text.length * LETTER + 40;
    if (x > 8 && x + wide > width) [x, y] = [8, y + LINE];
    const made = draw("g", { transform: `translate(${x} ${y})`, "data-low": y }, item.querySelector("path")!.cloneNode(true), draw("text", { x: 14, y: 4, class: "beside" }, text));
    x += wide;
    return made;
  });
  const low = items.length ? y + LINE : y;
  const room = Math.floor((width - 16) / LETTER);
  return [...items, draw("text", { x: 8, y: low + 4, class: "beside", "data-low": low }, words.length > room ? `${words.slice(0, room - 1)}…` : words)];
}

function give(content: Blob, file: string): void {
  const address = URL.createObjectURL(content);
  const anchor = document.createElement("a");
  Object.assign(anchor, { href: address, download: file });
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

const text = (svg: SVGSVGElement) => new XMLSerializer().serializeToString(svg);

export const asSvg = (drawn: Drawn, words: string): void => give(new Blob([text(alone(drawn, words))], { type: "image/svg+xml" }), "answer.svg");

export async function asPng(drawn: Drawn, words: string): Promise<void> {
  const svg = alone(drawn, words);
  const { width, height } = svg.viewBox.baseVal;
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text(svg))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: width * SHARPNESS, height: height * SHARPNESS });
  canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => blob && give(blob, "answer.png"), "image/png");
}

/** Places with all that their rows say. */
export async function asGeoJson(answer: Answer): Promise<void> {
  const { pointOf } = await import("./views/map");
  const found = columns(answer);
  const where = position(found)!;
  const features = answer.lines.flatMap((_, row) => {
    const at = pointOf(answer, row, where);
    const properties = Object.fromEntries(answer.row(row).map((term, place) => [answer.columns[place], term?.value ?? null]));
    return at ? [{ type: "Feature", geometry: { type: "Point", coordinates: at }, properties }] : [];
  });
  give(new Blob([JSON.stringify({ type: "FeatureCollection", features })], { type: "application/geo+json" }), "answer.geojson");
}
