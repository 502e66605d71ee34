/** The last queries, which only this browser keeps. */
const KEY = "motorgraph-queries";
const MOST = 12;

export interface Asked {
  query: string;
  rows: number;
  commit: number;
  at: number;
}

export function past(): Asked[] {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "[]") as Asked[];
  } catch {
    return [];
  }
}

export function remember(asked: Asked): void {
  keep([asked, ...past().filter(({ query }) => query !== asked.query)].slice(0, MOST));
}

export const forget = (): void => keep([]);

/** A browser that keeps nothing loses nothing but this list. */
function keep(all: Asked[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    return;
  }
}

/** What a query is called: its first comment, else its first line that is no declaration. */
export function title(query: string): string {
  const lines = query.split("\n").map((line) => line.trim());
  const comment = lines.find((line) => /^#\s*\w/.test(line) && !/^#\s*defaultView:/i.test(line));
  const bare = query.replace(/^\s*#.*$/gm, "").replace(/\b(prefix\s+\S+|base)\s*<[^>]*>/gi, "");
  const text = comment?.replace(/^#\s*/, "") ?? bare.replace(/\s+/g, " ").trim();
  return text.length > 90 ? `${text.slice(0, 89)}…` : text;
}
