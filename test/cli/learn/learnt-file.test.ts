import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openLearntFile } from "../../../cli/learn/learnt-file.ts";
import { DEFAULT_BUNDLE, readBundle } from "../../../node/files.ts";
import type { NewProfile } from "../../../src/profiles/profile.ts";
import { errorWithCode } from "../../support/errors.ts";
import { headHashOf, profilesFile, profilesOf, taskFile, taskFor } from "../../support/rows.ts";
import { makeTempFolder, removeTempFolder } from "../../support/temp-folders.ts";

const bundle = await readBundle(DEFAULT_BUNDLE);
const task = taskFor(bundle);
const headHash = await headHashOf(task);
const fileOf = (profiles: NewProfile[]) => profilesFile("demo", profiles, headHash);
const [one, two] = profilesOf(2).map((profile) => fileOf([profile]));
let path: string;

beforeEach(async () => {
  path = join(await makeTempFolder("xpeft-learnt-"), "learnt.ndjson");
});
afterEach(() => removeTempFolder(join(path, "..")));

const open = () => openLearntFile(path, task, bundle);
const text = () => readFile(path, "utf8");

it("creates the file, and appends lines of profiles.ndjson", async () => {
  const file = await open();
  expect([file.ids, file.repaired, await text()]).toEqual([new Set(), false, ""]);
  for (const profile of profilesOf(2)) file.append(profile, headHash);
  expect(await text()).toBe(fileOf(profilesOf(2)));
  expect((await open()).ids).toEqual(new Set(["demo-000", "demo-001"]));
});

it("removes a truncated last line, wherever it ends", async () => {
  for (let end = 1; end < (two ?? "").length - 1; end += 13) {
    await writeFile(path, `${one}${two?.slice(0, end)}`);
    const { ids, repaired } = await open();
    expect({ ids, repaired, text: await text() }).toEqual({ ids: new Set(["demo-000"]), repaired: true, text: one });
  }
});

it("completes a last line that only lacks its line break", async () => {
  await writeFile(path, `${one}${two?.trimEnd()}`);
  expect(await open()).toMatchObject({ ids: new Set(["demo-000", "demo-001"]), repaired: false });
  expect(await text()).toBe(`${one}${two}`);
});

it.each([
  ["a file of another kind", taskFile(task), ":1: "],
  ["a line that is damaged", `${one}{"task"\n${two}`, ":2: "],
  ["the end of something else", `${one}text,label`, ":2: "],
])("leaves %s unchanged, and reports it", async (_, content, place) => {
  await writeFile(path, content);
  await expect(open()).rejects.toThrow(errorWithCode("invalid_row"));
  await expect(open()).rejects.toThrow(place);
  expect(await text()).toBe(content);
});

it("rejects a file of another task or of another head, and accepts one that names no head", async () => {
  await writeFile(path, profilesFile("other", profilesOf(1)));
  await expect(open()).rejects.toThrow(errorWithCode("mismatched_write"));
  const other = profilesFile("demo", profilesOf(1), "0".repeat(32));
  await writeFile(path, other);
  await expect(open()).rejects.toThrow(errorWithCode("head_mismatch"));
  await expect(open()).rejects.toThrow(`${path}:1: `);
  expect(await text()).toBe(other);
  await writeFile(path, profilesFile("demo", profilesOf(1)));
  expect((await open()).ids).toEqual(new Set(["demo-000"]));
});

it("reports a folder that does not exist, and the name of a compressed file", async () => {
  await expect(openLearntFile(join(path, "..", "nowhere", "x"), task, bundle)).rejects.toThrow("cannot be written");
  await expect(openLearntFile(`${path}.gz`, task, bundle)).rejects.toThrow("gzip");
  await writeFile(path, gzipSync(one ?? ""));
  await expect(open()).rejects.toThrow("gzip");
});
