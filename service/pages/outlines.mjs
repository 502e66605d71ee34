// The outlines of countries as files of the bundle: the world at 1:110 million, Europe cut out of 1:50 million (Natural Earth).
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { bbox, feature } from "topojson-client";

const require = createRequire(import.meta.url);
const EUROPE = { west: -26, south: 33, east: 46, north: 72 };

function topology(name) {
  return JSON.parse(readFileSync(require.resolve(`world-atlas/${name}.json`), "utf8"));
}

function box(topo, geometry) {
  const coordinates = [];
  const walk = (part) => (typeof part[0] === "number" ? coordinates.push(part) : part.forEach(walk));
  const { geometry: shape } = feature(topo, geometry);
  if (shape) walk(shape.coordinates);
  return coordinates;
}

/** Rings of a polygon whose every point lies outside the cut are left out; a country keeps those that touch it. */
function cut(topo, { west, south, east, north }) {
  const inside = ([x, y]) => x >= west && x <= east && y >= south && y <= north;
  const touches = (arcs) => box(topo, { type: "Polygon", arcs, properties: {} }).some(inside);
  const kept = topo.objects.countries.geometries.flatMap((geometry) => {
    const polygons = (geometry.type === "Polygon" ? [geometry.arcs] : (geometry.arcs ?? [])).filter(touches);
    return polygons.length ? [{ type: "MultiPolygon", arcs: polygons, id: geometry.id, properties: { name: geometry.properties.name } }] : [];
  });
  return renumbered(topo, kept);
}

/** The topology with these countries, and only the arcs that they use. */
function renumbered(topo, geometries) {
  const places = new Map();
  const place = (arc) => {
    const name = arc < 0 ? ~arc : arc;
    if (!places.has(name)) places.set(name, places.size);
    return arc < 0 ? ~places.get(name) : places.get(name);
  };
  const moved = geometries.map((geometry) => ({ ...geometry, arcs: geometry.arcs.map((rings) => rings.map((ring) => ring.map(place))) }));
  const result = {
    type: "Topology",
    transform: topo.transform,
    objects: { countries: { type: "GeometryCollection", geometries: moved } },
    arcs: [...places.keys()].map((name) => topo.arcs[name]),
  };
  result.bbox = bbox(result);
  return result;
}

/** Only land and its names: the second object of the atlas is the same land without borders. */
function world(topo) {
  const named = topo.objects.countries.geometries.map(({ type, arcs, id, properties }) => ({ type, arcs, id, properties: { name: properties.name } }));
  return { ...topo, objects: { countries: { type: "GeometryCollection", geometries: named } } };
}

const MADE = {
  europe: () => cut(topology("countries-50m"), EUROPE),
  world: () => world(topology("countries-110m")),
};

/** `import url from "outlines:europe"` gives the address of the file. */
export const outlines = {
  name: "outlines",
  setup(build) {
    build.onResolve({ filter: /^outlines:/ }, ({ path }) => ({ path: `${path.slice("outlines:".length)}.topo.json`, namespace: "outlines" }));
    build.onLoad({ filter: /.*/, namespace: "outlines" }, ({ path }) => ({
      contents: JSON.stringify(MADE[path.split(".")[0]]()),
      loader: "file",
    }));
  },
};
