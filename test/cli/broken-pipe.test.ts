import { once } from "node:events";
import { expect, it } from "vitest";
import { quietEnv } from "../../scripts/install.mjs";
import { runProgram, start } from "../support/processes.ts";

it.each(["--help", "bundle info", "completion bash"])("%s ends quietly if nobody reads its output", async (command) => {
  // The shell's `:` ends before Node has started.
  const script = `${process.execPath} cli/xpeft.ts ${command} | :; echo "$PIPESTATUS"`;
  const { stdout, stderr } = await runProgram("bash", ["-c", script], { env: quietEnv });
  expect({ stdout, stderr }).toEqual({ stdout: "141\n", stderr: "" });
});

it("ends after an error although standard input stays open", async () => {
  const { child } = start(["cli/xpeft.ts", "predict", "news", "--profile", "news-000", "--ndjson"]);
  child.stdin.write("[1]\n");
  expect(await once(child, "close")).toEqual([1, null]);
});
