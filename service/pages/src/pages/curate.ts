/** The forms of curators, with scripts: one more value of a field comes at once, where without them the page comes again. */

document.addEventListener("click", (event) => {
  const button = (event.target as Element).closest<HTMLButtonElement>("button[data-another]");
  const last = button?.parentElement?.querySelector<HTMLElement>(".value:nth-last-child(1 of .value)");
  if (!button || !last) return;
  event.preventDefault();
  const made = last.cloneNode(true) as HTMLElement;
  const number = button.parentElement!.querySelectorAll(".value").length + 1;
  const label = button.parentElement!.querySelector("label")!.firstChild!.textContent!.trim();
  const [input] = made.querySelectorAll<HTMLInputElement>("input, select, textarea");
  input!.removeAttribute("id");
  input!.setAttribute("aria-label", `${label}, ${number}`);
  input!.value = "";
  last.after(made);
  input!.focus();
});
