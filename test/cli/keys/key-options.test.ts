import { Command } from "commander";
import { expect, it } from "vitest";
import { createOptions } from "../../../cli/keys/key-options.ts";

function parse(...flags: string[]) {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  for (const option of createOptions) command.addOption(option);
  return command.option("--persist-to <folder>").parse(flags, { from: "user" }).opts();
}

it("defaults to a key that predicts without confinement or expiry", () => {
  expect(parse()).toEqual({ name: "unnamed", scope: ["predict"], prefix: "" });
});

it.each([
  ["90d", 90],
  ["1d", 1],
])("counts days from now: %s", (text, days) => {
  const { expires } = parse("--expires", text);
  expect(expires.getTime() - Date.now()).toBeGreaterThan(days * 86_400_000 - 60_000);
  expect(expires.getTime() - Date.now()).toBeLessThanOrEqual(days * 86_400_000);
});

it.each([
  ["2100-01-31", "2100-01-31T00:00:00.000Z"],
  ["2100-01-31T12:00:00+02:00", "2100-01-31T10:00:00.000Z"],
])("accepts a date: %s", (text, expires) => {
  expect(parse("--expires", text).expires).toEqual(new Date(expires));
});

it.each([
  [["--scope", "everything"], "Allowed choices are predict, list, learn, write, admin, learn-task."],
  [["--name", " "], "one line"],
  [["--name", "two\nlines"], "one line"],
  [["--task", "Demo"], "A task's name has 1 to 64"],
  [["--task", ""], "A task's name has 1 to 64"],
  [["--prefix", ""], "would mean all profiles"],
  [["--prefix", "-a"], "starts with a letter or a digit"],
  [["--prefix", "a b"], "A profile's id has 1 to 128"],
  [["--expires", "90"], "90d"],
  [["--expires", "2100-02-30"], "90d"],
  [["--expires", "2100-01-01T00:00:00"], "90d"],
  [["--expires", "0d"], "in the future"],
  [["--expires", "2020-01-01"], "in the future"],
  [["--sql", "--json"], "cannot be used with"],
  [["--sql", "--persist-to", "state"], "cannot be used with"],
])("reports an error: %j", (flags, message) => {
  expect(() => parse(...flags)).toThrow(message);
});
