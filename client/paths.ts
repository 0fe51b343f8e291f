type Parameters = Record<string, string>;

/** A method of Hono's client, such as `$get`. */
type Method = (request?: { param?: Parameters }, ...rest: unknown[]) => unknown;

/** @throws TypeError for an empty value, which would lead to another route, and for `.` and `..`, which a URL resolves */
function encodeParameter(name: string, value: string): string {
  if (/^\.{0,2}$/.test(value)) throw new TypeError(`${name} is "${value}", which a path cannot hold.`);
  return encodeURIComponent(value);
}

/**
 * Returns a client of Hono's that encodes the parameters of paths. Hono's own inserts them unencoded, so a name with `/`
 * or `?` would lead to another route.
 */
export function withSafePaths<Client extends object>(client: Client): Client {
  return new Proxy(client, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function" || typeof key !== "string") return value;
      if (!key.startsWith("$")) return withSafePaths(value);
      const method = value as Method;
      return (request?: { param?: Parameters }, ...rest: unknown[]) => {
        if (!request?.param) return method(request, ...rest);
        const param = Object.entries(request.param).map(([name, text]) => [name, encodeParameter(name, String(text))]);
        return method({ ...request, param: Object.fromEntries(param) }, ...rest);
      };
    },
  });
}
