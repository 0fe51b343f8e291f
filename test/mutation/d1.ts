import { DatabaseSync } from "node:sqlite";

type Value = string | number | null | Uint8Array;

/** Converts a row's value like D1, which returns bytes as an array of numbers. */
const given = (value: unknown) => (value instanceof Uint8Array ? Array.from(value) : value);

function d1Error(cause: unknown): Error {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new Error(`D1_ERROR: ${message}: SQLITE_ERROR`, { cause });
}

class Statement {
  readonly #db: DatabaseSync;
  readonly #sql: string;
  readonly #values: readonly Value[];

  constructor(db: DatabaseSync, sql: string, values: readonly Value[] = []) {
    this.#db = db;
    this.#sql = sql;
    this.#values = values;
  }

  bind(...values: (Value | boolean | ArrayBuffer)[]): Statement {
    const bound = values.map((value) => {
      if (value instanceof ArrayBuffer) return new Uint8Array(value);
      return typeof value === "boolean" ? Number(value) : value;
    });
    return new Statement(this.#db, this.#sql, bound);
  }

  /** Runs the statement. @returns rows as lists of values, and the columns' names */
  rows(): { columns: string[]; rows: unknown[][] } {
    try {
      const statement = this.#db.prepare(this.#sql);
      statement.setReturnArrays(true);
      const rows = statement.all(...this.#values) as unknown as unknown[][];
      return { columns: statement.columns().map(({ name }) => name), rows: rows.map((row) => row.map(given)) };
    } catch (cause) {
      throw d1Error(cause);
    }
  }

  result() {
    const { columns, rows } = this.rows();
    const results = rows.map((row) => Object.fromEntries(columns.map((name, place) => [name, row[place]])));
    return { success: true, results, meta: {} };
  }

  all = async () => this.result();
  run = async () => this.result();
  raw = async () => this.rows().rows;
  async first(column?: string) {
    const [row = null] = this.result().results;
    return row && column !== undefined ? row[column] : row;
  }
}

/** Returns a database with D1's interface over SQLite in this process, without D1's request for each query. */
export function createD1(): D1Database {
  const db = new DatabaseSync(":memory:");
  const d1 = {
    prepare: (sql: string) => new Statement(db, sql),
    async batch(statements: Statement[]) {
      db.exec("BEGIN");
      try {
        const results = statements.map((statement) => statement.result());
        db.exec("COMMIT");
        return results;
      } catch (cause) {
        db.exec("ROLLBACK");
        throw cause;
      }
    },
    async exec(sql: string) {
      try {
        db.exec(sql);
      } catch (cause) {
        throw d1Error(cause);
      }
    },
    withSession: () => d1,
    getBookmark: () => null,
  };
  return d1 as unknown as D1Database;
}
