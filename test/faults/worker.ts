import worker from "../../functions/index.ts";
import type { Bindings } from "../../functions/platform/bindings.ts";
import type { Broken } from "./broken.ts";

// The deploy's Worker over bindings that can break. `PUT /broken` sets what is broken, the variable BROKEN at start.

type Env = Bindings & { readonly BROKEN?: string };

let broken: Broken = {};

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const WRITES = /^\s*(insert|update|delete|with)\b/i;

/** Runs queries, unless the database is broken for them. */
async function withFault<Answer>(queries: readonly string[], query: () => Promise<Answer>): Promise<Answer> {
  const { database } = broken;
  if (database?.slowMs) await sleep(database.slowMs);
  if (!database?.error || (database.writesOnly && !queries.some((sql) => WRITES.test(sql)))) return await query();
  if (database.done) await query();
  throw new Error(database.error);
}

/** D1's real statements, by their wrappers. */
const real = new WeakMap<D1PreparedStatement, { statement: D1PreparedStatement; query: string }>();

function statementOf(statement: D1PreparedStatement, query: string): D1PreparedStatement {
  const wrapper = {
    bind: (...values: unknown[]) => statementOf(statement.bind(...values), query),
    first: (...args: [string]) => withFault([query], () => statement.first(...args)),
    run: () => withFault([query], () => statement.run()),
    all: () => withFault([query], () => statement.all()),
    raw: (...args: [{ columnNames: true }]) => withFault([query], () => statement.raw(...args)),
  } as unknown as D1PreparedStatement;
  real.set(wrapper, { statement, query });
  return wrapper;
}

/** Returns a database or session whose queries can fail. */
function databaseOf<Database extends Pick<D1Database, "prepare" | "batch">>(database: Database): Database {
  return new Proxy(database, {
    get(target, name) {
      if (name === "prepare") return (query: string) => statementOf(target.prepare(query), query);
      if (name === "batch") {
        return async (statements: D1PreparedStatement[]) => {
          const known = statements.flatMap((statement) => real.get(statement) ?? []);
          const queries = known.map(({ query }) => query);
          return await withFault(queries, () => target.batch(known.map(({ statement }) => statement)));
        };
      }
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      if (name === "withSession") return (...args: unknown[]) => databaseOf(value.apply(target, args));
      return value.bind(target);
    },
  });
}

async function assetOf(assets: Fetcher, input: RequestInfo | URL): Promise<Response> {
  const file = new URL(String(input)).pathname.slice(1);
  const { asset } = broken;
  const response = await assets.fetch(input);
  if (asset?.file !== file) return response;
  if (asset.how === "once") broken = { ...broken, asset: undefined };
  if (asset.how === "missing") return new Response(null, { status: 404 });
  if (asset.how === "once") return new Response(null, { status: 500 });
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (asset.how === "truncated") return new Response(bytes.subarray(0, bytes.length - 1));
  const place = bytes.length >> 1;
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  return new Response(bytes);
}

const RealDate = Date;

/** A clock with the configured error. */
class WrongDate extends RealDate {
  constructor(...args: [] | [number | string]) {
    super(...((args.length === 0 ? [WrongDate.now()] : args) as [number]));
  }
  static override now(): number {
    return RealDate.now() + (broken.clockMs ?? 0);
  }
}

const { grow } = WebAssembly.Memory.prototype;
const { Instance } = WebAssembly;

function noInstance(): never {
  if (broken.memory === "instance once") breakAs({ ...broken, memory: undefined });
  throw new RangeError("WebAssembly.Instance(): Out of memory: Cannot allocate Wasm memory for new instance");
}

/** Makes WebAssembly run out of memory: memory cannot grow, or no module can be instantiated. */
function breakMemory(): void {
  const noMemory = () => {
    throw new RangeError("WebAssembly.Memory.grow(): Unable to grow instance memory");
  };
  WebAssembly.Memory.prototype.grow = broken.memory === "grow" ? noMemory : grow;
  WebAssembly.Instance = broken.memory?.startsWith("instance") ? (noInstance as unknown as typeof Instance) : Instance;
}

function breakAs(next: Broken): void {
  broken = next;
  globalThis.Date = next.clockMs ? (WrongDate as DateConstructor) : RealDate;
  breakMemory();
}

let wrapped: Bindings | undefined;

function bindingsOf(env: Env): Bindings {
  if (wrapped) return wrapped;
  if (env.BROKEN) breakAs(JSON.parse(env.BROKEN) as Broken);
  const { DB, ASSETS } = env;
  const parts = {
    ...(DB && { DB: databaseOf(DB) }),
    ASSETS: { fetch: (input: RequestInfo | URL) => assetOf(ASSETS, input) } as Fetcher,
  };
  wrapped = Object.defineProperty({ ...env, ...parts }, "TOKEN_KEYS", {
    get: () => (broken.tokenKeys === undefined ? env.TOKEN_KEYS : (broken.tokenKeys ?? undefined)),
    enumerable: true,
  });
  return wrapped;
}

export default {
  async fetch(request, env, context) {
    const bindings = bindingsOf(env);
    if (new URL(request.url).pathname !== "/broken") return await worker.fetch(request, bindings, context);
    breakAs(await request.json());
    return new Response(null, { status: 204 });
  },
} satisfies ExportedHandler<Env>;
