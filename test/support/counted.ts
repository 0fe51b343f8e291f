/** A real database, and how many queries have gone to it. */
export function counted(database: D1Database): { database: D1Database; queries(): number } {
  let queries = 0;
  const count = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(of, name) {
        const value = Reflect.get(of, name);
        if (typeof value !== "function") return value;
        return (...given: unknown[]) => {
          if (name === "prepare" || name === "exec") queries++;
          const result = value.apply(of, given);
          return name === "withSession" ? count(result) : result;
        };
      },
    });
  return { database: count(database), queries: () => queries };
}
