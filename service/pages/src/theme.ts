/** What the editors of the pages look like alike: in the colours of the pages, which change with their theme. */

/** Rules of an editor's own go beside these, in one theme. */
export const EDITOR = {
  "&": { fontSize: "14px", backgroundColor: "var(--bg)", color: "var(--ink)", height: "100%" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "22px", overflow: "auto" },
  ".cm-content": { caretColor: "var(--ink)", padding: "8px 0" },
  ".cm-cursor": { borderLeftColor: "var(--ink)", borderLeftWidth: "2px" },
  ".cm-gutters": { backgroundColor: "var(--bg)", color: "var(--ink-3)", border: "0", fontSize: "12px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { background: "var(--accent-bg) !important" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--target)", outline: "none" },
  ".cm-tooltip-lint": { maxWidth: "30rem", font: "13px/18px var(--sans)" },
};
