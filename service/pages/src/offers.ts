/** The things that a field of a form may take: those of its classes that the service finds, and the first of them where nothing is typed. */
import { patiently } from "./patience";
import { MOST, suggest, type Suggestion } from "./suggestions";

interface Thing {
  id: string;
  name: string;
  description: string;
}

/** Suggests things under a field in place of its list, which holds the first of them only and comes back where the service finds none for us. */
export function offer(input: HTMLInputElement): void {
  const list = (input.dataset.list ??= input.getAttribute("list") ?? "");
  input.removeAttribute("list");
  const listed = [...(document.getElementById(list)?.querySelectorAll("option") ?? [])];
  const first = listed.slice(0, MOST).map((option) => ({ id: option.text, name: option.value, description: "" }));
  suggest(input, async (text, signal) => {
    if (text.includes("://")) return [];
    const found = text ? await things(text, input.dataset.classes!, signal) : first;
    if (!found) input.setAttribute("list", list);
    return (found ?? []).map((thing) => suggestion(thing, (words) => (input.value = words)));
  });
}

/** The things of some classes that a text may mean; null where the service does not say. */
async function things(text: string, classes: string, signal: AbortSignal): Promise<Thing[] | null> {
  const asked = new URLSearchParams({ prefix: text, limit: String(MOST) });
  for (const name of classes.split(" ").filter(Boolean)) asked.append("type", name);
  const response = await patiently(`/reconcile/suggest/entity?${asked}`, { signal });
  return response.ok ? ((await response.json()) as { result: Thing[] }).result : null;
}

/** A thing is put in with its IRI, since others may be called so too. */
function suggestion({ id, name, description }: Thing, put: (words: string) => void): Suggestion {
  return { name: [name], about: [description], take: () => put(`${name.replace(/[<>]/g, "")} <${id}>`) };
}
