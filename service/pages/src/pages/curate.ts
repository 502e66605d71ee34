/** The forms of curators, with scripts: a field asks for things as it is typed, and one more value of a field comes at once. */
import { offer } from "../offers";

for (const input of document.querySelectorAll<HTMLInputElement>("input[data-classes]")) offer(input);

document.addEventListener("click", (event) => {
  const button = (event.target as Element).closest<HTMLButtonElement>("button[data-another]");
  const last = button?.parentElement?.querySelector<HTMLElement>(".value:nth-last-child(1 of .value)");
  if (!button || !last) return;
  event.preventDefault();
  const made = last.cloneNode(true) as HTMLElement;
  const number = button.parentElement!.querySelectorAll(".value").length + 1;
  const label = button.parentElement!.querySelector("label")!.firstChild!.textContent!.trim();
  const input = made.querySelector<HTMLInputElement>("input, select, textarea")!;
  input.removeAttribute("id");
  input.setAttribute("aria-label", `${label}, ${number}`);
  input.value = "";
  made.querySelector(".suggestions")?.remove();
  if ("classes" in input.dataset) offer(input);
  last.after(made);
  input.focus();
});
