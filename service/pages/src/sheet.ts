/** The text that is judged, in an editor: what is found is marked in it and in its gutter. It lives in a shadow root, as the query editor does. */
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, forEachDiagnostic, nextDiagnostic, previousDiagnostic, setDiagnostics, setDiagnosticsEffect } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, gutter, GutterMarker, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { Edit, Finding, Severity } from "./judging";
import { EDITOR } from "./theme";

const SIGNS: Record<Severity, string> = { Violation: "✕", Warning: "!", Info: "i" };
const KINDS = { Violation: "error", Warning: "warning", Info: "info" } as const;
const GRAVEST = ["Violation", "Warning", "Info"] as const;

/** Turtle, TriG and what lies between, by their words alone: what is wrong is for the service to say. */
const TURTLE = StreamLanguage.define({
  token(stream) {
    if (stream.match(/^#.*/)) return "comment";
    if (stream.match(/^(?:"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)/)) return "string";
    if (stream.match(/^<[^<>\s]*>/)) return "link";
    if (stream.match(/^(?:@prefix|@base|PREFIX\b|BASE\b|GRAPH\b|a(?=\s))/)) return "keyword";
    if (stream.match(/^[A-Za-z][\w-]*:[\w./-]*/)) return "propertyName";
    if (!stream.match(/^[\w-]+/)) stream.next();
    return null;
  },
});

const COLOURS = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--study)", fontWeight: "600" },
  { tag: tags.string, color: "var(--planned)" },
  { tag: [tags.link, tags.propertyName], color: "var(--accent)" },
  { tag: tags.comment, color: "var(--ink-3)", fontStyle: "italic" },
]);

const WAVY = (colour: string) => ({ backgroundImage: "none", textDecoration: `underline wavy ${colour} 1.5px`, textUnderlineOffset: "3px", textDecorationSkipInk: "none" });
const LOOKS = EditorView.theme({
  ...EDITOR,
  ".cm-signs .cm-gutterElement": { width: "20px", textAlign: "center", fontWeight: "700" },
  ".cm-signs .Violation": { color: "var(--denied)" },
  ".cm-signs .Warning": { color: "var(--contested)" },
  ".cm-signs .Info": { color: "var(--asserted)" },
  ".cm-activeLine": { backgroundColor: "var(--bg-2)" },
  ".cm-lintRange-error": WAVY("var(--denied)"),
  ".cm-lintRange-warning": WAVY("var(--contested)"),
  ".cm-lintRange-info": WAVY("var(--line-2)"),
  ".cm-tooltip": { backgroundColor: "var(--bg)", color: "var(--ink)", border: "1px solid var(--line-2)", borderRadius: "4px", zIndex: "20" },
});

/** A finding in the editor, with its place in the report. */
interface Marked extends Diagnostic {
  place: number;
}

class Sign extends GutterMarker {
  constructor(private readonly severity: Severity) {
    super();
  }
  override eq(other: Sign): boolean {
    return other.severity === this.severity;
  }
  override toDOM(): Node {
    const made = document.createElement("span");
    made.className = made.title = this.severity;
    made.textContent = SIGNS[this.severity];
    return made;
  }
}

const gravest = (marks: Marked[]): Severity | undefined => GRAVEST.find((severity) => marks.some((mark) => mark.severity === KINDS[severity]));

export interface Writing {
  text: string;
  changed: () => void;
  /** Is told which findings stand where the cursor is, or, with `follows`, at the top of what is seen. */
  met: (places: number[]) => void;
}

export class Sheet {
  private readonly view: EditorView;

  constructor(host: HTMLElement, writing: Writing) {
    const root = host.attachShadow({ mode: "open" });
    this.view = new EditorView({ root, parent: root, state: EditorState.create({ doc: writing.text, extensions: extensions(writing) }) });
    this.view.scrollDOM.addEventListener("scroll", () => requestAnimationFrame(() => this.tellTop(writing)), { passive: true });
  }

  get text(): string {
    return this.view.state.doc.toString();
  }

  set text(text: string) {
    this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text }, selection: { anchor: 0 }, scrollIntoView: true });
  }

  show(findings: Finding[]): void {
    const marks = findings.flatMap((finding, place) => marked(this.view.state, finding, place));
    this.view.dispatch(setDiagnostics(this.view.state, marks));
  }

  /** Goes to the next finding, or the one before. */
  step(back: boolean): void {
    (back ? previousDiagnostic : nextDiagnostic)(this.view);
    this.view.focus();
  }

  goTo(place: number): void {
    forEachDiagnostic(this.view.state, (mark, from, to) => {
      if ((mark as Marked).place === place) this.view.dispatch({ selection: { anchor: from, head: to }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
    });
    this.view.focus();
  }

  /** Makes edits, all or none: none where the text is no longer what they were meant for. */
  mend(edits: Edit[]): boolean {
    const { doc } = this.view.state;
    const changes = edits.map(({ line, column, length, was, text }) => {
      const at = line <= doc.lines ? doc.line(line) : doc.line(1);
      const from = at.from + units(at.text, column - 1);
      const to = from + units(at.text.slice(from - at.from), length);
      return { from, to, insert: text, fits: this.view.state.sliceDoc(from, to) === was };
    });
    if (!changes.every((change) => change.fits)) return false;
    this.view.dispatch({ changes, selection: { anchor: changes[0]!.from }, scrollIntoView: true, userEvent: "input.mend" });
    return true;
  }

  private tellTop(writing: Writing): void {
    const top = this.view.lineBlockAtHeight(this.view.scrollDOM.scrollTop).from;
    const below: { place: number; from: number }[] = [];
    forEachDiagnostic(this.view.state, (mark, from) => from >= top && below.push({ place: (mark as Marked).place, from }));
    const first = below.sort((one, other) => one.from - other.from)[0];
    if (first && !this.view.hasFocus) writing.met([first.place]);
  }
}

function extensions(writing: Writing) {
  const keys = [
    { key: "F8", run: nextDiagnostic, shift: previousDiagnostic, preventDefault: true },
    { key: "Mod-Enter", run: () => (writing.changed(), true) },
  ];
  return [
    lineNumbers(),
    signs(),
    history(),
    drawSelection(),
    bracketMatching(),
    highlightActiveLine(),
    TURTLE,
    syntaxHighlighting(COLOURS),
    keymap.of([...keys, ...defaultKeymap, ...historyKeymap]),
    EditorView.contentAttributes.of({ "aria-label": "The text to judge. F8 goes to the next finding.", spellcheck: "false", autocapitalize: "off" }),
    EditorView.lineWrapping,
    EditorView.domEventHandlers({ beforeinput: replaced }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) writing.changed();
      if (update.selectionSet) writing.met(around(update.state, update.state.selection.main.from).map((mark) => mark.place));
    }),
    LOOKS,
  ];
}

/** The gutter with a sign for the gravest finding of each line. */
function signs() {
  return gutter({
    class: "cm-signs",
    lineMarker: (view, line) => {
      const severity = gravest(around(view.state, line.from));
      return severity ? new Sign(severity) : null;
    },
    lineMarkerChange: (update) => update.docChanged || update.transactions.some((each) => each.effects.some((effect) => effect.is(setDiagnosticsEffect))),
    initialSpacer: () => new Sign("Violation"),
  });
}

/** The findings on the line of a place. */
function around(state: EditorState, at: number): Marked[] {
  const line = state.doc.lineAt(at);
  const found: Marked[] = [];
  forEachDiagnostic(state, (mark, from) => from >= line.from && from <= line.to && found.push(mark as Marked));
  return found;
}

function marked(state: EditorState, finding: Finding, place: number): Marked[] {
  if (!finding.line || finding.line > state.doc.lines) return [];
  const line = state.doc.line(finding.line);
  const indent = line.text.length - line.text.trimStart().length;
  const from = line.from + (finding.column ? units(line.text, finding.column - 1) : indent);
  const to = finding.column ? from + Math.max(1, units(line.text.slice(from - line.from), finding.length ?? 1)) : line.to;
  return [{ from: Math.min(from, line.to), to: Math.min(to, line.to), severity: KINDS[finding.severity], message: finding.message, place }];
}

/** Columns count characters, the editor counts UTF-16 units. */
function units(text: string, characters: number): number {
  return [...text].slice(0, characters).join("").length;
}

/** What is typed over a selection: done here, since the browser does it with a style attribute, which the policy forbids. */
function replaced(event: InputEvent, view: EditorView): boolean {
  if (event.inputType !== "insertText" || !event.data || event.isComposing || view.state.selection.main.empty) return false;
  view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
  return true;
}
