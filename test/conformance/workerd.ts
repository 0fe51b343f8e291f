import { drizzle } from "drizzle-orm/d1";
import { createKeyStore } from "../../src/auth/key-store.ts";
import { startWorker } from "../support/worker.ts";
import { type LogLine, type Runtime, type RuntimeOptions, settingsOf } from "./runtime.ts";

/** Starts the Worker as deployed, with the documentation among its assets. */
export async function startWorkerd(options: RuntimeOptions): Promise<Runtime> {
  const { requests, learning, databases = 1 } = options;
  const worker = await startWorker({
    bundle: "dist/assets",
    vars: settingsOf(options),
    database: databases > 0,
    databases: Math.max(1, databases),
    ...(requests !== undefined && { rateLimit: requests }),
    ...(learning !== undefined && { learnLimit: learning }),
  });
  return {
    name: "workerd",
    url: worker.url,
    adminKey: worker.adminKey,
    makeKey: worker.makeKey,
    keys: () => createKeyStore(drizzle(worker.db)).list(),
    push: worker.push,
    sql: async (statement) => void (await worker.db.exec(statement)),
    logs: () => worker.harness.getLogs().map(({ message }): LogLine => JSON.parse(message)),
    process: null,
    close: worker.close,
  };
}
