import { CommandError } from "../../node/errors.ts";

/** Returns an address's host and port as they stand in a URL, with the name of this machine for all of its addresses. */
export function urlAt(host: string, port: number): string {
  if (["127.0.0.1", "0.0.0.0"].includes(host)) return `http://localhost:${port}`;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** What fails when an address cannot be listened on: a process of `--workers` binds it. */
const LISTENING = ["listen", "bind", "getaddrinfo"];

/** Returns what explains why a server cannot listen. @param options those that change where it listens */
export const explainPort =
  (host: string, port: number, options: string) =>
  (error: NodeJS.ErrnoException): never => {
    if (!LISTENING.includes(error.syscall ?? "")) throw error;
    throw new CommandError(`${host}:${port} cannot be opened.`, `Choose another port or address: ${options}`, {
      cause: error,
    });
  };
