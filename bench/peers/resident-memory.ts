import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { CommandError } from "../../node/errors.ts";

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly bytes: number;
  readonly program: string;
}

async function allProcesses(): Promise<Process[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid=,rss=,comm="]).catch((cause: unknown) => {
    const hint = "It reads the peers' memory. Install procps, or use Linux or macOS.";
    throw new CommandError("ps cannot be run.", hint, { cause });
  });
  return stdout
    .trim()
    .split("\n")
    .map((line) => {
      const [pid, parent, kilobytes, ...program] = line.trim().split(/\s+/);
      return { pid: Number(pid), parent: Number(parent), bytes: Number(kilobytes) * 1024, program: program.join(" ") };
    });
}

async function largestBytes(matches: (process: Process) => boolean, what: string): Promise<number> {
  const processes = (await allProcesses()).filter(matches);
  if (processes.length === 0) throw new Error(`There is no process ${what}.`);
  return Math.max(...processes.map(({ bytes }) => bytes));
}

/**
 * Returns the resident bytes of a process.
 *
 * @throws CommandError if `ps` cannot be run
 */
export const residentBytes = (pid: number): Promise<number> =>
  largestBytes((process) => process.pid === pid, `with the id ${pid}`);

/**
 * Returns the resident bytes of the workerd that this process started: of its two, the one with the Worker and D1. The
 * other only forwards requests and is smaller.
 *
 * @throws CommandError if `ps` cannot be run
 */
export const workerdBytes = (): Promise<number> =>
  largestBytes(({ parent, program }) => parent === process.pid && program.includes("workerd"), "of workerd");
