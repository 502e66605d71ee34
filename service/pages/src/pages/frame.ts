/** What every page has: suggestions under its search boxes, and a key that leads to the first of them. */
import { things } from "../search";
import { shortcut } from "../shortcut";
import { suggest } from "../suggestions";

const boxes = [...document.querySelectorAll<HTMLInputElement>('form[action="/search"] input[name="q"]')];
for (const box of boxes) {
  const under = suggest(box, things);
  box.addEventListener("focus", () => under.soon());
}
if (boxes[0]) shortcut(boxes[0], document.querySelector(".foot .theme"));
