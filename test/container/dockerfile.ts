import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { projectFiles } from "../support/project.ts";
import { makeTempFolder, removeTempFolder } from "../support/temp-folders.ts";

/** A line of a Dockerfile: `RUN` with its flags and its command. */
export interface Instruction {
  readonly name: string;
  readonly flags: readonly string[];
  readonly rest: string;
}

/** The instructions from one FROM to the next. */
export interface Stage {
  readonly name: string;
  /** The image that the stage starts from. */
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

function parseInstruction(line: string): Instruction {
  const [, name = "", flags = "", rest = ""] = /^([A-Z]+)((?:\s+--\S+)*)\s+(.*)$/s.exec(line) ?? [];
  if (name === "HEALTHCHECK") {
    const [, command = ""] = /^CMD\s+(.*)$/s.exec(rest) ?? [];
    return { name, flags: flags.trim().split(/\s+/), rest: command };
  }
  return { name, flags: flags.split(/\s+/).filter((flag) => flag !== ""), rest: rest.trim() };
}

/** Reads the stages of a Dockerfile. */
export async function readStages(path: string): Promise<Stage[]> {
  const lines = (await readFile(path, "utf8"))
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .join("\n")
    .replaceAll(/\\\n/g, " ")
    .split("\n")
    .filter((line) => line.trim() !== "");
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  for (const instruction of lines.map(parseInstruction)) {
    if (instruction.name === "FROM") {
      const [base = "", , name = "last"] = instruction.rest.split(/\s+/);
      stages.push({ name, base, instructions: [] });
    } else stages.at(-1)?.instructions.push(instruction);
  }
  return stages;
}

/** Returns those of the paths that .dockerignore keeps out of a build. Its patterns mean the same to git. */
export async function ignoredPaths(paths: readonly string[]): Promise<Set<string>> {
  // In a repository without a .gitignore, the file's own patterns decide alone.
  const repository = await makeTempFolder("xpeft-ignore-");
  const git = ["-C", repository, "-c", `core.excludesFile=${resolve(".dockerignore")}`];
  spawnSync("git", ["init", "--quiet", repository]);
  const options = { input: paths.join("\0"), encoding: "utf8", maxBuffer: 2 ** 24 } as const;
  const { stdout } = spawnSync("git", [...git, "check-ignore", "--no-index", "--stdin", "-z"], options);
  await removeTempFolder(repository);
  return new Set(stdout.split("\0"));
}

/** Returns the project's files that a build sees. */
export async function contextFiles(): Promise<string[]> {
  const files = (await projectFiles()).filter((path) => existsSync(path));
  const ignored = await ignoredPaths(files);
  return files.filter((path) => !ignored.has(path));
}
