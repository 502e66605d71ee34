/** What the search of the service finds, and how it is suggested under a search box. */
import { patiently } from "./patience";
import { MOST, type Source, type Words } from "./suggestions";

export interface Hit {
  iri: string;
  page: string;
  label: string;
  kind: string;
  kind_label: string;
  note: string;
  alias?: string;
  match: [number, number][];
}

/** The best of what a text finds; nothing where the service cannot tell. */
export async function searched(text: string, most: number, signal: AbortSignal): Promise<Hit[]> {
  const response = await patiently(`/search?${new URLSearchParams({ q: text, limit: String(most) })}`, { headers: { Accept: "application/json" }, signal });
  return response.ok ? ((await response.json()) as { hits: Hit[] }).hits : [];
}

/** Things, each leading to its page. */
export const things: Source = async (text, signal) => {
  const hits = text ? await searched(text, MOST, signal) : [];
  return hits.map(({ label, alias, match, kind_label, note, page, iri }) => ({
    name: alias === undefined ? marked(label, match) : [label],
    about: [...(alias === undefined ? [] : ["also ", ...marked(alias, match), ", "]), [kind_label, note].filter(Boolean).join(", ")],
    take: () => location.assign(page || iri),
  }));
};

/** A text with what matched in <mark>. */
function marked(text: string, spans: [number, number][]): Words {
  const letters = [...text];
  const parts: Words = [];
  let at = 0;
  for (const [start, end] of spans) {
    const mark = document.createElement("mark");
    mark.textContent = letters.slice(start, end).join("");
    parts.push(letters.slice(at, start).join(""), mark);
    at = end;
  }
  return [...parts, letters.slice(at).join("")];
}
