import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readTestSplit } from "../../cli/predict/records.ts";
import { DEFAULT_BUNDLE, readBundle, readProfilesFile, readTaskFile } from "../../node/files.ts";
import { profilesFile, profilesOf, taskFile, taskFor } from "../support/rows.ts";

let folder: string;
const bundle = await readBundle(DEFAULT_BUNDLE);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "xpeft-files-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe("training files", () => {
  it("contain a task and its profiles; empty lines are skipped", async () => {
    const task = taskFor(bundle);
    expect(await readTaskFile(await write("task.json", taskFile(task)), bundle)).toEqual(task);
    const lines = profilesFile("demo", profilesOf(3)).replace("\n", "\r\n\n");
    expect(await readProfilesFile(await write("p.ndjson", lines), taskFor(bundle), bundle)).toEqual(profilesOf(3));
  });

  it("may be gzip, whatever their names are, and are rejected in another encoding", async () => {
    const task = taskFor(bundle);
    const lines = profilesFile("demo", profilesOf(2));
    expect(await readTaskFile(await write("task.json", gzipSync(taskFile(task))), bundle)).toEqual(task);
    expect(await readProfilesFile(await write("p.ndjson", gzipSync(lines)), task, bundle)).toEqual(profilesOf(2));
    const path = await write("p.ndjson", Buffer.from(`\ufeff${lines}`, "utf16le"));
    await expect(readProfilesFile(path, task, bundle)).rejects.toThrow(`${path}:1: it is UTF-16, not UTF-8.`);
    await expect(readTaskFile(path, bundle)).rejects.toThrow(`${path}:1: it is UTF-16, not UTF-8.`);
    const array = await write("p.ndjson", `[${lines.trimEnd().replace("\n", ",")}]`);
    await expect(readProfilesFile(array, task, bundle)).rejects.toThrow(`${array}:1: it is a JSON array.`);
  });

  it("report file and line of an error", async () => {
    const lines = `${profilesFile("demo", profilesOf(2))}{"task":"demo"}\n`;
    const path = await write("p.ndjson", lines);
    await expect(readProfilesFile(path, taskFor(bundle), bundle)).rejects.toMatchObject({
      code: "invalid_row",
      message: expect.stringContaining(`${path}:3: profile: `),
    });
    const broken = await write("task.json", "{}");
    await expect(readTaskFile(broken, bundle)).rejects.toMatchObject({ message: expect.stringContaining(broken) });
  });

  it("are reported without a profile", async () => {
    const path = await write("p.ndjson", "\n");
    await expect(readProfilesFile(path, taskFor(bundle), bundle)).rejects.toThrow(`${path} has no profiles.`);
  });

  it("are reported with a repeated profile", async () => {
    const path = await write("p.ndjson", profilesFile("demo", [...profilesOf(2), ...profilesOf(1)]));
    await expect(readProfilesFile(path, taskFor(bundle), bundle)).rejects.toMatchObject({
      code: "invalid_row",
      message: expect.stringMatching(/:3: .*"demo-000"/),
    });
  });
});

describe("a data file", () => {
  const record = (text: string, split: string) => JSON.stringify({ profile: "a", text, label: "1", split });
  const lines = [record("one", "train"), record("two", "test"), record("three", "test")].join("\n");

  it.each([
    ["data.jsonl", lines],
    ["data.jsonl.gz", gzipSync(lines)],
    ["data.csv", "split;Label;text;profile\ntrain;1;one;a\n\ntest; 1;two;a\ntest;1;three; a\n"],
  ])("returns its test split in order: %s", async (name, content) => {
    const path = await write(name, content);
    expect((await readTestSplit(path)).map(({ text }) => text)).toEqual(["two", "three"]);
    expect((await readTestSplit(path, 1)).map(({ text }) => text)).toEqual(["two"]);
  });

  it.each([
    ["a line that is not a labelled text", `${lines}\n{"text": "x"}`, /:4: there is no column "profile" among "text"/],
    ["a field of another type", `${lines}\n${record("x", "test").replace('"1"', "1")}`, /:4: label: .*string/],
    ["no test split", record("one", "train"), /no test split/],
  ])("reports %s", async (_, content, message) => {
    await expect(readTestSplit(await write("data.jsonl", content))).rejects.toThrow(message);
  });

  it("ignores a byte order mark, blank lines and null second texts", async () => {
    const odd = [record("one", "test"), "", JSON.stringify({ ...JSON.parse(record("two", "test")), text_pair: null })];
    const path = await write("data.jsonl", `\uFEFF${odd.join("\r\n")}\n`);
    expect((await readTestSplit(path)).map(({ text }) => text)).toEqual(["one", "two"]);
  });

  it.each([
    ["that does not exist", "nothing.jsonl", null, /no such file/],
    ["that does not exist", "nothing.jsonl.gz", null, /no such file/],
    ["that is truncated", "data.jsonl.gz", gzipSync(lines).subarray(0, 40), /unexpected end/],
  ])("reports a file %s: %s", async (_, name, content, cause) => {
    const path = content === null ? join(folder, name) : await write(name, content);
    await expect(readTestSplit(path)).rejects.toMatchObject({
      message: `${path} cannot be read.`,
      cause: expect.objectContaining({ message: expect.stringMatching(cause) }),
    });
  });
});
