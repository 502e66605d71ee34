/** The editor. It lives in a shadow root, where its style sheets are adopted: the policy of the pages allows no style element. */
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, acceptCompletion, completionStatus, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, LanguageSupport, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, linter, setDiagnostics } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { styleTags, tags } from "@lezer/highlight";
import { SparqlLanguage } from "codemirror-lang-sparql";
import { EDITOR } from "./theme";

const CHECK_AFTER_MS = 600;
/** How long after Escape the Tab key leaves the editor: nobody is to be hurried. */
const PATIENCE_MS = 60_000;

/** Its own rules leave prefixed names without a colour. */
const SPARQL = SparqlLanguage.configure({ props: [styleTags({ "Pname_ns Pname_ln": tags.propertyName })] });

const COLOURS = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--study)", fontWeight: "600" },
  { tag: tags.variableName, color: "var(--asserted)" },
  { tag: [tags.string, tags.integer, tags.float, tags.bool], color: "var(--planned)" },
  { tag: [tags.namespace, tags.propertyName, tags.typeName, tags.labelName, tags.name], color: "var(--accent)" },
  { tag: tags.comment, color: "var(--ink-3)", fontStyle: "italic" },
]);

const LOOKS = EditorView.theme({
  ...EDITOR,
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--bg-2)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--denied) 2px", textUnderlineOffset: "3px", textDecorationSkipInk: "none" },
  ".cm-lintPoint-error:after": { borderBottomColor: "var(--denied)" },
  ".cm-tooltip": { backgroundColor: "var(--bg)", color: "var(--ink)", border: "1px solid var(--line-2)", borderRadius: "4px", boxShadow: "0 6px 20px rgb(0 0 0 / .16)", zIndex: "20" },
  ".cm-diagnostic-error": { borderLeft: "3px solid var(--denied)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", fontSize: "13px", maxHeight: "17rem", minWidth: "min(24rem, 86vw)", maxWidth: "min(34rem, 92vw)" },
  ".cm-tooltip-autocomplete > ul > li": { display: "flex", justifyContent: "space-between", gap: "16px", padding: "4px 12px !important", lineHeight: "20px", minHeight: "24px" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent-bg) !important", color: "var(--ink) !important" },
  ".cm-completionLabel": { overflow: "hidden", textOverflow: "ellipsis" },
  ".cm-completionMatchedText": { textDecoration: "underline", fontWeight: "650" },
  ".cm-completionDetail": { fontStyle: "normal", font: "12px/20px var(--sans)", color: "var(--ink-2)", marginLeft: "0", flexShrink: "0", fontVariantNumeric: "tabular-nums" },
  ".cm-tooltip.cm-completionInfo": { font: "13px/18px var(--sans)", padding: "8px 12px", maxWidth: "18rem", overflowWrap: "anywhere" },
});

export interface Fault {
  detail: string;
  line?: number | null;
  column?: number | null;
}

export interface Editing {
  text: string;
  run: () => void;
  stop: () => void;
  /** Is told what the service says of the text; null if it is right. */
  checked: (fault: Fault | null) => void;
  /** Is told how many lines the text takes, when it is changed. */
  grown: (lines: number) => void;
}

export class Editor {
  private readonly view: EditorView;

  constructor(host: HTMLElement, editing: Editing) {
    const root = host.attachShadow({ mode: "open" });
    this.view = new EditorView({ root, parent: root, state: EditorState.create({ doc: editing.text, extensions: extensions(editing) }) });
  }

  get text(): string {
    return this.view.state.doc.toString();
  }

  set text(text: string) {
    this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text }, selection: { anchor: 0 }, scrollIntoView: true });
  }

  focus(): void {
    this.view.focus();
  }

  /** Marks a fault, and goes to it. */
  mark(fault: Fault): void {
    const found = marked(this.view.state, fault);
    this.view.dispatch(setDiagnostics(this.view.state, found));
    if (found[0]) this.view.dispatch({ selection: { anchor: found[0].from }, scrollIntoView: true });
  }
}

function extensions(editing: Editing) {
  const keys = [
    { key: "Mod-Enter", run: () => (editing.run(), true) },
    { key: "Tab", run: acceptCompletion },
    { key: "Escape", run: (view: EditorView) => leave(view, editing) },
  ];
  return [
    lineNumbers(),
    history(),
    drawSelection(),
    bracketMatching(),
    closeBrackets(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    new LanguageSupport(SPARQL),
    syntaxHighlighting(COLOURS),
    autocompletion({ override: [offered], icons: false, activateOnTypingDelay: 120 }),
    linter((view) => check(view, editing), { delay: CHECK_AFTER_MS }),
    Prec.high(keymap.of(keys)),
    keymap.of([...closeBracketsKeymap, ...completionKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
    EditorView.contentAttributes.of({ "aria-label": "SPARQL query. Escape, then Tab leaves the editor.", spellcheck: "false", autocapitalize: "off" }),
    EditorView.lineWrapping,
    EditorView.updateListener.of(({ docChanged, view }) => docChanged && editing.grown(Math.ceil(view.contentHeight / view.defaultLineHeight))),
    EditorView.domEventHandlers({ beforeinput: replaced }),
    LOOKS,
  ];
}

/** What is typed over a selection: done here, since the browser does it with a style attribute, which the policy forbids. */
function replaced(event: InputEvent, view: EditorView): boolean {
  if (event.inputType !== "insertText" || !event.data || event.isComposing || view.state.selection.main.empty) return false;
  view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
  return true;
}

/**
 * What can be written at a place. Each change of the text gives up what was asked before it: the editor asks again only where nothing is asked,
 * so that a late answer of nothing would leave what was typed meanwhile without any; and after an error it would never ask again.
 */
async function offered(context: CompletionContext): Promise<CompletionResult | null> {
  context.addEventListener("abort", () => {}, { onDocChange: true });
  const found = import("./completion").then(({ complete }) => complete(context));
  return found.catch(() => null);
}

/** Escape closes what is open, stops what runs, and lets the next Tab leave the editor. */
function leave(view: EditorView, editing: Editing): boolean {
  if (completionStatus(view.state)) return false;
  editing.stop();
  view.setTabFocusMode(PATIENCE_MS);
  return true;
}

async function check(view: EditorView, editing: Editing): Promise<Diagnostic[]> {
  const text = view.state.doc.toString();
  if (!text.trim()) return [];
  const response = await fetch("/sparql/check", { method: "POST", body: text, headers: { "Content-Type": "application/sparql-query" } }).catch(() => null);
  if (!response?.ok) return [];
  const { fault = null }: { fault?: Fault | null } = await response.json();
  editing.checked(fault);
  return fault ? marked(view.state, fault) : [];
}

/** The word at the place of a fault; one before it where the text ends there. */
function marked(state: EditorState, { detail, line, column }: Fault): Diagnostic[] {
  if (!line || line > state.doc.lines) return [];
  const at = state.doc.line(line);
  const from = Math.min(at.from + offsetOf(at.text, column ?? 1), at.to);
  const word = /^(?:[\w?$:.-]+|<[^>]*>?|\S)/.exec(state.sliceDoc(from, at.to))?.[0].length ?? 0;
  const start = word ? from : Math.max(0, from - Math.max(1, /\S+\s*$/.exec(state.sliceDoc(0, from))?.[0].length ?? 1));
  return [{ from: start, to: word ? from + word : from, severity: "error", message: detail }];
}

/** Columns count characters, the editor counts UTF-16 units. */
function offsetOf(line: string, column: number): number {
  return [...line].slice(0, column - 1).join("").length;
}
