import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";
import { json } from "node:stream/consumers";

// Turso's server cannot be installed here. This one answers its protocol, Hrana 2 over HTTP, from a real SQLite file, as far as
// the client of libSQL uses it: https://github.com/tursodatabase/libsql/blob/main/docs/HRANA_2_SPEC.md

type Value =
  | { type: "null" }
  | { type: "integer"; value: string }
  | { type: "float"; value: number }
  | { type: "text"; value: string }
  | { type: "blob"; base64: string };

interface Statement {
  readonly sql?: string;
  readonly sql_id?: number;
  readonly args?: readonly Value[];
  readonly want_rows?: boolean;
}

type Condition =
  | { type: "ok" | "error"; step: number }
  | { type: "not"; cond: Condition }
  | { type: "and" | "or"; conds: readonly Condition[] }
  | { type: "is_autocommit" };

interface Step {
  readonly stmt: Statement;
  readonly condition?: Condition;
}

type Request =
  | { type: "execute"; stmt: Statement }
  | { type: "batch"; batch: { steps: readonly Step[] } }
  | { type: "store_sql"; sql_id: number; sql: string }
  | { type: "close_sql"; sql_id: number }
  | { type: "close" };

type Outcome = { readonly result: object } | { readonly error: { message: string; code: string } };

function parameterOf(value: Value): null | number | bigint | string | Uint8Array {
  if (value.type === "null") return null;
  if (value.type === "integer") return BigInt(value.value);
  return value.type === "blob" ? Buffer.from(value.base64, "base64") : value.value;
}

function toValue(stored: unknown): Value {
  if (stored === null) return { type: "null" };
  if (typeof stored === "bigint") return { type: "integer", value: String(stored) };
  if (typeof stored === "number") return { type: "float", value: stored };
  if (stored instanceof Uint8Array) return { type: "blob", base64: Buffer.from(stored).toString("base64") };
  return { type: "text", value: String(stored) };
}

/** Runs the requests of one pipeline, which is one connection. */
class Pipeline {
  readonly #stored = new Map<number, string>();
  readonly #db: DatabaseSync;

  constructor(path: string) {
    this.#db = new DatabaseSync(path, { timeout: 5000 });
  }

  #execute({ sql, sql_id: id, args = [] }: Statement): Outcome {
    try {
      const statement = this.#db.prepare(sql ?? this.#stored.get(id ?? -1) ?? "");
      statement.setReadBigInts(true);
      statement.setReturnArrays(true);
      const cols = statement.columns().map(({ name, type }) => ({ name, decltype: type }));
      const rows = statement.all(...args.map(parameterOf)) as unknown as unknown[][];
      return { result: { cols, rows: rows.map((row) => row.map(toValue)), affected_row_count: 0 } };
    } catch (error) {
      const { message } = error as Error;
      return { error: { message, code: "SQLITE_ERROR" } };
    }
  }

  #holds(condition: Condition | undefined, outcomes: readonly (Outcome | null)[]): boolean {
    if (!condition) return true;
    const inner = (one: Condition) => this.#holds(one, outcomes);
    switch (condition.type) {
      case "ok":
        return "result" in (outcomes[condition.step] ?? {});
      case "error":
        return "error" in (outcomes[condition.step] ?? {});
      case "not":
        return !inner(condition.cond);
      case "and":
        return condition.conds.every(inner);
      case "or":
        return condition.conds.some(inner);
      default:
        return !this.#db.isTransaction;
    }
  }

  #batch(steps: readonly Step[]): object {
    const outcomes: (Outcome | null)[] = [];
    for (const { stmt, condition } of steps)
      outcomes.push(this.#holds(condition, outcomes) ? this.#execute(stmt) : null);
    return {
      step_results: outcomes.map((outcome) => (outcome && "result" in outcome ? outcome.result : null)),
      step_errors: outcomes.map((outcome) => (outcome && "error" in outcome ? outcome.error : null)),
    };
  }

  answer(request: Request): object {
    const { type } = request;
    if (type === "store_sql") this.#stored.set(request.sql_id, request.sql);
    if (type === "batch") return { type: "ok", response: { type, result: this.#batch(request.batch.steps) } };
    if (type !== "execute") return { type: "ok", response: { type } };
    const outcome = this.#execute(request.stmt);
    return "error" in outcome
      ? { type: "error", error: outcome.error }
      : { type: "ok", response: { type, ...outcome } };
  }

  close(): void {
    this.#db.close();
  }
}

/** A database on another machine, as Turso is one, that can be away. */
export interface RemoteDatabase {
  /** For `--database`. */
  readonly url: string;
  /** Stops answering. */
  leave(): Promise<void>;
  /** Answers again, at the same address. */
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

/** Serves a SQLite file like Turso. */
export async function startHranaServer(path: string): Promise<RemoteDatabase> {
  let server: Server;
  let port = 0;

  async function listen(): Promise<void> {
    server = createServer(async (incoming, outgoing) => {
      const { requests } = (await json(incoming)) as { requests: readonly Request[] };
      const pipeline = new Pipeline(path);
      const results = requests.map((request) => pipeline.answer(request));
      pipeline.close();
      outgoing
        .setHeader("content-type", "application/json")
        .end(JSON.stringify({ baton: null, base_url: null, results }));
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
  }

  async function leave(): Promise<void> {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  await listen();
  return { url: `http://127.0.0.1:${port}`, leave, comeBack: listen, close: leave };
}
