/** A value as it is shown. */
import { isNamed, link, name, shortened } from "./names";
import { element } from "./setup";
import { isDate, isNumber, moment, partsOf, XSD, type Term } from "./terms";

const UNSAID = new Set([`${XSD}string`, `${XSD}boolean`, `${XSD}anyURI`, ""]);
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The words of a value. */
export function words(term: Term | undefined): string {
  if (!term) return "not known";
  if (term.kind === "iri") return name(term.value);
  if (term.kind === "triple") return `<<( ${partsOf(term).map(words).join(" ")} )>>`;
  if (isNumber(term)) return grouped(term.value);
  return isDate(term) ? dated(term) : term.value;
}

/** A number as it was written, with its thousands set apart; a year without a unit would suffer from that. */
function grouped(text: string): string {
  return /^[+-]?\d{5,}(\.\d+)?$/.test(text) ? text.replace(/^([+-]?)(\d+)/, (_, sign: string, digits: string) => sign + Number(digits).toLocaleString("en")) : text;
}

export function dated(term: Term): string {
  const at = moment(term);
  if (Number.isNaN(at) || !/^\d{4}-\d\d-\d\d/.test(term.value)) return term.value;
  const day = new Date(at);
  return `${day.getUTCDate()} ${MONTHS[day.getUTCMonth()]} ${day.getUTCFullYear()}` + (term.value.includes("T") ? `, ${term.value.slice(11, 16)}` : "");
}

export function cell(term: Term | undefined): Node {
  if (!term) return element("span", { class: "none" }, "not known");
  if (term.kind === "iri") return anchor(term.value);
  if (term.kind === "triple") return element("span", { class: "triple" }, "<<( ", ...partsOf(term).flatMap((part) => [cell(part), " "]), ")>>");
  if (isDate(term)) return element("time", { datetime: term.value }, dated(term));
  const note = term.kind === "blank" ? "blank node" : term.language && term.language !== "en" ? term.language : UNSAID.has(term.datatype) || isNumber(term) ? "" : shortened(term.datatype) || term.datatype;
  if (!note) return document.createTextNode(words(term));
  const found = document.createDocumentFragment();
  found.append(`${words(term)} `, element("span", { class: "note" }, note));
  return found;
}

export function anchor(iri: string): Node {
  const address = link(iri);
  if (!address) return document.createTextNode(name(iri));
  return element("a", { href: address, ...(isNamed(iri) ? { title: iri } : {}) }, name(iri));
}
