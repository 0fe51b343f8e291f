/** What a method of Hono's client is called with. */
type Call = (asked?: { param?: Record<string, string> }, ...rest: unknown[]) => unknown;

/** @throws TypeError for names that a URL takes for a step in its path, however they are written */
function encoded(name: string, value: string): string {
  if (/^\.{1,2}$/.test(value)) throw new TypeError(`${name} is "${value}", which no path can hold.`);
  return encodeURIComponent(value);
}

/**
 * Makes a client of Hono's encode what it puts into paths. By itself it puts it in as it is: a name with `/` or `?` in it
 * would lead to another route.
 */
export function withSafePaths<Client extends object>(client: Client): Client {
  return new Proxy(client, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function" || typeof key !== "string") return value;
      if (!key.startsWith("$")) return withSafePaths(value);
      const call = value as Call;
      return (asked: Parameters<Call>[0], ...rest: unknown[]) => {
        if (!asked?.param) return call(asked, ...rest);
        const param = Object.entries(asked.param).map(([name, of]) => [name, encoded(name, String(of))]);
        return call({ ...asked, param: Object.fromEntries(param) }, ...rest);
      };
    },
  });
}
