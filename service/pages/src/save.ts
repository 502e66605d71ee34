/** Files from a picture: SVG and PNG as they are seen, places as GeoJSON. */
import type { Answer } from "./answer";
import { columns, position } from "./columns";

const KEPT = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "font-family", "font-size", "font-weight", "opacity", "paint-order", "text-anchor"];
const SHARPNESS = 2;

/** A picture that stands alone: what the style sheet says of each part is written into it. */
function alone(svg: SVGSVGElement): string {
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
  const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  ground.setAttribute("width", "100%");
  ground.setAttribute("height", "100%");
  ground.setAttribute("fill", getComputedStyle(document.body).backgroundColor);
  copy.prepend(ground);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  for (const name of ["class", "style"]) copy.removeAttribute(name);
  return new XMLSerializer().serializeToString(copy);
}

function give(content: Blob, file: string): void {
  const address = URL.createObjectURL(content);
  const anchor = document.createElement("a");
  Object.assign(anchor, { href: address, download: file });
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

export const asSvg = (svg: SVGSVGElement): void => give(new Blob([alone(svg)], { type: "image/svg+xml" }), "answer.svg");

export async function asPng(svg: SVGSVGElement): Promise<void> {
  const { width, height } = svg.viewBox.baseVal.width ? svg.viewBox.baseVal : svg.getBoundingClientRect();
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(alone(svg))}`;
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
