import type { ChildProcess } from "node:child_process";
import { wrangler } from "../../scripts/install.mjs";
import { freePort, run, start, waitForResponse } from "./processes.ts";

/** Applies all migrations to the local database of a folder for `--persist-to`. */
export async function migrateLocally(state: string): Promise<void> {
  const { code, stderr } = await run([wrangler, "d1", "migrations", "apply", "DB", "--local", "--persist-to", state]);
  if (code !== 0) throw new Error(`The migrations failed:\n${stderr}`);
}

/** A Worker that `wrangler dev` serves, as users have it. */
interface LocalWorker {
  readonly url: string;
  readonly child: ChildProcess;
}

/** Serves a local database, and waits until the Worker is healthy. @param vars settings such as `PUBLIC_PREDICT:true` */
export async function serveLocally(state: string, vars: readonly string[]): Promise<LocalWorker> {
  const port = String(await freePort());
  const settings = vars.flatMap((setting) => ["--var", setting]);
  const args = ["dev", "--port", port, "--persist-to", state, "--show-interactive-dev-session=false", ...settings];
  const { child } = start([wrangler, ...args]);
  const url = `http://localhost:${port}`;
  await waitForResponse(`${url}/healthz`);
  return { url, child };
}
