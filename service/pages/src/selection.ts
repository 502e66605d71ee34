/** The rows that are picked, the same in every view of an answer. */
export class Selection {
  private rows = new Set<number>();
  private readonly watching = new Set<() => void>();

  get size(): number {
    return this.rows.size;
  }

  get all(): number[] {
    return [...this.rows].sort((one, other) => one - other);
  }

  readonly has = (row: number): boolean => this.rows.has(row);

  /** Picks these rows alone, none if they are so already; with `adds` they join the others, or leave them. */
  pick(rows: number[], adds: boolean): void {
    const areIn = rows.every(this.has);
    if (!adds) this.rows = new Set(areIn && rows.length === this.rows.size ? [] : rows);
    else for (const row of rows) this.rows[areIn ? "delete" : "add"](row);
    this.tell();
  }

  clear(): void {
    this.rows.clear();
    this.tell();
  }

  /** Calls at each change, and once at the beginning, until the function that it gives is called. */
  watch(act: () => void): () => void {
    this.watching.add(act);
    act();
    return () => void this.watching.delete(act);
  }

  private tell(): void {
    for (const act of this.watching) act();
  }
}
