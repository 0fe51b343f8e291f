import type { Bindings } from "../../functions/http/env.ts";
import app from "../../functions/index.ts";
import type { Broken } from "./broken.ts";

/** The deploy's Worker over bindings that break when they are told to: `PUT /broken` tells, the variable BROKEN does from the start. */

type Env = Bindings & { readonly BROKEN?: string };

let broken: Broken = {};

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const WRITES = /^\s*(insert|update|delete|with)\b/i;

/** Asks the database, unless it is broken for such queries. */
async function hindered<Answer>(queries: readonly string[], ask: () => Promise<Answer>): Promise<Answer> {
  const { database } = broken;
  if (database?.slowMs) await sleep(database.slowMs);
  if (!database?.error || (database.writesOnly && !queries.some((query) => WRITES.test(query)))) return await ask();
  if (database.done) await ask();
  throw new Error(database.error);
}

/** Statements as D1 knows them, by those that are handed out. */
const real = new WeakMap<D1PreparedStatement, { statement: D1PreparedStatement; query: string }>();

function statementOf(statement: D1PreparedStatement, query: string): D1PreparedStatement {
  const asked = {
    bind: (...values: unknown[]) => statementOf(statement.bind(...values), query),
    first: (...args: [string]) => hindered([query], () => statement.first(...args)),
    run: () => hindered([query], () => statement.run()),
    all: () => hindered([query], () => statement.all()),
    raw: (...args: [{ columnNames: true }]) => hindered([query], () => statement.raw(...args)),
  } as unknown as D1PreparedStatement;
  real.set(asked, { statement, query });
  return asked;
}

/** A database, or a session of one, that may be hindered. */
function databaseOf<Asked extends Pick<D1Database, "prepare" | "batch">>(database: Asked): Asked {
  return new Proxy(database, {
    get(target, name) {
      if (name === "prepare") return (query: string) => statementOf(target.prepare(query), query);
      if (name === "batch") {
        return async (statements: D1PreparedStatement[]) => {
          const known = statements.flatMap((one) => real.get(one) ?? []);
          const queries = known.map(({ query }) => query);
          return await hindered(queries, () => target.batch(known.map(({ statement }) => statement)));
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

/** A clock that is wrong by as much as it is told. */
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

/** WebAssembly where memory is at its end: it grows no more, or no module can be instantiated. */
function breakMemory(): void {
  const noMemory = () => {
    throw new RangeError("WebAssembly.Memory.grow(): Unable to grow instance memory");
  };
  WebAssembly.Memory.prototype.grow = broken.memory === "grow" ? noMemory : grow;
  WebAssembly.Instance = broken.memory?.startsWith("instance") ? (noInstance as unknown as typeof Instance) : Instance;
}

function breakAs(told: Broken): void {
  broken = told;
  globalThis.Date = told.clockMs ? (WrongDate as DateConstructor) : RealDate;
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
    if (new URL(request.url).pathname !== "/broken") return await app.fetch(request, bindings, context);
    breakAs(await request.json());
    return new Response(null, { status: 204 });
  },
} satisfies ExportedHandler<Env>;
