/** The classes and properties of the graph, as the service counts them; asked for when somebody begins to write. */
import { patiently } from "./patience";

export interface Word {
  iri: string;
  count: number;
  label?: string;
  says?: string;
}

export interface Property extends Word {
  of: Record<string, number>;
  towards: number[];
}

export interface Vocabulary {
  prefixes: Record<string, string>;
  classes: Word[];
  properties: Property[];
}

let asked: Promise<Vocabulary | null> | undefined;

/** Null where the service cannot tell it now. */
export function vocabulary(): Promise<Vocabulary | null> {
  asked ??= patiently("/sparql/vocabulary", {})
    .then((response) => (response.ok ? (response.json() as Promise<Vocabulary>) : null))
    .catch(() => null)
    .then((found) => {
      if (!found) asked = undefined;
      return found;
    });
  return asked;
}
