import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { CommandError } from "../../node/errors.ts";

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly residentBytes: number;
  readonly program: string;
}

async function allProcesses(): Promise<Process[]> {
  const listed = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid=,rss=,comm="]).catch((cause: unknown) => {
    throw new CommandError(
      "ps cannot be run.",
      "The peers' memory is read from it: install procps, or use Linux or macOS.",
      {
        cause,
      },
    );
  });
  return listed.stdout
    .trim()
    .split("\n")
    .map((line) => {
      const [pid, parent, kilobytes, ...program] = line.trim().split(/\s+/);
      return {
        pid: Number(pid),
        parent: Number(parent),
        residentBytes: Number(kilobytes) * 1024,
        program: program.join(" "),
      };
    });
}

/** @throws Error if none of the processes is there */
function largest(processes: readonly Process[], what: string): number {
  if (processes.length === 0) throw new Error(`There is no process ${what}.`);
  return Math.max(...processes.map(({ residentBytes }) => residentBytes));
}

/**
 * Bytes of memory that a process has resident.
 *
 * @throws CommandError if `ps` cannot be run
 */
export async function residentBytes(pid: number): Promise<number> {
  return largest(
    (await allProcesses()).filter((one) => one.pid === pid),
    `with the id ${pid}`,
  );
}

/**
 * The same of the workerd that this process has started: of its two, the one that the Worker and its D1 are in. The other
 * only hands requests on, and is the smaller.
 *
 * @throws CommandError if `ps` cannot be run
 */
export async function workerdBytes(): Promise<number> {
  const own = (await allProcesses()).filter(
    ({ parent, program }) => parent === process.pid && program.includes("workerd"),
  );
  return largest(own, "of workerd");
}
