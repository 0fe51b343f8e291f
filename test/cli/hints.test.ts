import { Command } from "commander";
import { beforeAll, expect, it } from "vitest";
import { PROBLEM_CODES } from "../../app/http/problem-codes.ts";
import { registerDoctor } from "../../cli/deploy/doctor.ts";
import { hintFor } from "../../cli/hints.ts";
import { registerKeys } from "../../cli/keys/keys.ts";
import { registerLearn } from "../../cli/learn/learn.ts";
import { registerPredict } from "../../cli/predict/predict.ts";
import { registerProfiles } from "../../cli/registry/profiles.ts";
import { registerPush } from "../../cli/registry/push.ts";
import { registerRestore } from "../../cli/registry/restore.ts";
import { registerTasks } from "../../cli/registry/tasks.ts";
import { registerServe } from "../../cli/serve/serve.ts";
import type { Problem } from "../../client/index.ts";
import { ERROR_CASES } from "../support/errors.ts";

/** Words of HTTP and its clients, which have no meaning on the command line. */
const HTTP =
  /\b(headers?|requests?|curl|body|query|status|routes?|If-Match|Authorization|GET|PUT|POST|DELETE)\b|\/v1\/|"\w+":/;

/** Options of the training companion that hints name. */
const OF_TRAINING = ["--max-tokens"];

/** Every command that a hint may name, such as "profiles list", with its options. */
const commands = new Map<string, readonly string[]>();

beforeAll(() => {
  const program = new Command();
  const registers = [registerDoctor, registerKeys, registerLearn, registerPredict, registerProfiles, registerPush];
  for (const register of [...registers, registerRestore, registerServe, registerTasks]) register(program);
  const add = (command: Command, before: string) => {
    const name = `${before} ${command.name()}`.trim();
    commands.set(
      name,
      command.options.flatMap(({ long }) => long ?? []),
    );
    for (const inner of command.commands) add(inner, name);
  };
  for (const command of program.commands) add(command, "");
});

it.each([...ERROR_CASES, ...PROBLEM_CODES.map((code) => ({ code, hint: "" }))])(
  "$code, $reason: has a hint with only commands and options of the command line",
  (error) => {
    const hint = hintFor(error);
    expect(hint).toMatch(/^\S.*\.$/);
    expect(hint).not.toMatch(HTTP);
    const options = new Set([...commands.values()].flat());
    const named = hint.match(/--[a-z][a-z-]*/g) ?? [];
    expect(named.filter((option) => !options.has(option) && !OF_TRAINING.includes(option))).toEqual([]);
    // "python -m xpeft add" is a command of the training companion.
    const called = [...hint.matchAll(/(?<!-m )xpeft ([a-z]+(?: [a-z]+)?)/g)].map(([, name = ""]) => name);
    const exists = (name: string) => commands.has(name) || commands.get(name.split(" ")[0] ?? "")?.length;
    expect(called.filter((name) => !exists(name))).toEqual([]);
  },
);

it("keeps the Worker's hint for a code that this version does not know", () => {
  const code = "code_of_a_newer_worker" as Problem["code"];
  expect(hintFor({ code, hint: "Try this." })).toBe("Try this.");
});

it("keeps the service's hint where only the service knows its settings and databases", () => {
  expect(hintFor({ code: "invalid_setting", hint: "Correct it in wrangler.toml." })).toBe(
    "Correct it in wrangler.toml.",
  );
});
