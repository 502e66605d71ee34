/** The key / leads to the search box; a button at the foot of the page switches that off, as WCAG 2.1.4 asks. */

const KEPT = "motorgraph.slash";

export function shortcut(input: HTMLInputElement, foot: Element | null): void {
  const hint = document.createElement("kbd");
  hint.textContent = "/";
  hint.setAttribute("aria-hidden", "true");
  if (input.closest(".top")) input.after(hint);
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Key / searches";
  foot?.append(button);

  const tell = (): void => {
    const works = localStorage.getItem(KEPT) !== "off";
    button.setAttribute("aria-pressed", String(works));
    hint.hidden = !works;
    input.toggleAttribute("aria-keyshortcuts", works);
    if (works) input.setAttribute("aria-keyshortcuts", "/");
  };
  button.addEventListener("click", () => {
    localStorage.setItem(KEPT, localStorage.getItem(KEPT) === "off" ? "on" : "off");
    tell();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (localStorage.getItem(KEPT) === "off" || isWritten(event.target)) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
  tell();
}

/** Whether a key pressed there is text. */
function isWritten(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(?:input|select|textarea)$/i.test(target.tagName));
}
