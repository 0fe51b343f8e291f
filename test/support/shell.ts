import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A shell that keeps variables and background programs from one block to the next, as a reader's does. */
export interface Shell {
  /** Runs commands. @returns what they print to standard output @throws Error if one fails */
  run(commands: string): Promise<string>;
  close(): Promise<void>;
}

/** Starts a shell in a folder. */
export function startShell(cwd: string, env: NodeJS.ProcessEnv): Shell {
  const END = "-- end of the block --";
  const child = spawn("bash", ["-euo", "pipefail"], { cwd, env: { ...process.env, ...env } });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  // After a command that fails, the shell reads no more. The next run reports it.
  child.stdin.on("error", () => {});
  child.stdin.write(`trap 'kill $(jobs -p) 2> /dev/null || true' EXIT\n`);
  return {
    async run(commands) {
      // The commands must not read the shell's own input, which has the next ones.
      child.stdin.write(`{\n${commands}\n} < /dev/null\necho; echo '${END}'\n`);
      const printed: string[] = [];
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error(`${commands}\nfailed:\n${printed.join("\n")}\n${errors}`);
        if (value === END) return printed.join("\n").trim();
        printed.push(value);
      }
    },
    async close() {
      child.stdin.end();
      if (child.exitCode === null) await once(child, "close");
    },
  };
}
