/** The page of a thing: what takes longer is fetched when it is wanted, and its neighbourhood can be opened out. */
import { counted, button } from "../elements";
import type { Start } from "../around";

const NEAR = "400px";

/** Puts a section of another state of this page in the place of its own; where that fails, its link still leads there. */
async function fill(section: HTMLElement, address: string): Promise<void> {
  section.setAttribute("aria-busy", "true");
  const response = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
  section.removeAttribute("aria-busy");
  if (!response?.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const name = section.getAttribute("aria-labelledby")!;
  const made = page.getElementById(name)?.closest("section");
  if (!made) return;
  const hadFocus = section.contains(document.activeElement);
  section.replaceWith(made);
  if (hadFocus) made.querySelector<HTMLElement>("a[href]")?.focus();
}

const watcher = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      watcher.unobserve(target);
      void fill(target as HTMLElement, (target as HTMLElement).dataset.near!);
    }
  },
  { rootMargin: NEAR },
);
document.querySelectorAll("[data-near]").forEach((section) => watcher.observe(section));

document.querySelectorAll<HTMLAnchorElement>("a[data-fill]").forEach((link) =>
  link.addEventListener("click", (event) => {
    event.preventDefault();
    void fill(link.closest("section")!, link.href);
  }),
);

const figure = document.getElementById("around");
if (figure) {
  const start: Start = { iri: figure.dataset.iri!, name: figure.dataset.name!, data: figure.dataset.json! };
  const show = async (first = "") => (await import("../around")).open(start, figure.querySelector(".legend")!, first);
  for (const link of figure.querySelectorAll<SVGAElement>("a.next")) {
    link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      void show(link.dataset.iri);
    });
  }
  const links = figure.querySelectorAll("a.next").length;
  const open = button("Explore from here", () => void show(), "btn");
  open.title = `${counted(links, "thing")} now, and what is next to each of them`;
  figure.querySelector("figcaption")!.prepend(open);
}
