import type { Runtime, RuntimeName, RuntimeOptions } from "./runtime.ts";
import { startServerProcess } from "./server-process.ts";
import { startWorkerd } from "./workerd.ts";

/** Starts the app on a runtime. */
export const startRuntime = (name: RuntimeName, options: RuntimeOptions = {}): Promise<Runtime> =>
  name === "workerd" ? startWorkerd(options) : startServerProcess(name, options);
