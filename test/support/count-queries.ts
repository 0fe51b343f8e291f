/** Wraps a real database and counts its queries. */
export function countQueries(database: D1Database): { database: D1Database; queries(): number } {
  let queries = 0;
  const count = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, name) {
        const value = Reflect.get(object, name);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          if (name === "prepare" || name === "exec") queries++;
          const result = value.apply(object, args);
          return name === "withSession" ? count(result) : result;
        };
      },
    });
  return { database: count(database), queries: () => queries };
}
