const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]);

/** Returns a request's method, by OpenTelemetry's rule: callers could make any number of series with names of their own. */
export const methodOf = ({ method }: { readonly method: string }): string => (METHODS.has(method) ? method : "_OTHER");
