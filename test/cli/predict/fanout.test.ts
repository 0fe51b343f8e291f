import { describe, expect, it } from "vitest";
import { task, useRemote } from "../../support/remote.ts";

const TEXT = "Senate passes bill after long night";
const remote = useRemote();
const fanOut = (...args: string[]) => remote.runCli("fanout", "demo", TEXT, ...args);
const rows = (stdout: string) =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));

describe("xpeft fanout", () => {
  it("prints each profile's label and score, as predict does, and the counts", async () => {
    const { code, stdout, stderr } = await fanOut("--all");
    const labelled = rows(stdout);
    expect(labelled.map(([profile]) => profile)).toEqual(["demo-000", "demo-001", "demo-002"]);
    for (const [profile = "", label, score] of labelled) {
      expect((await remote.runCli("predict", "demo", TEXT, "--profile", profile)).stdout).toBe(`${label}\t${score}\n`);
    }
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^3 profiles, 3 lines\. Labels: .*\.\n$/),
    });
    expect(rows((await fanOut("--prefix", "demo-002")).stdout)).toEqual(labelled.slice(2));
    expect(rows((await fanOut("--profile", "demo-002", "demo-000")).stdout)).toEqual([labelled[2], labelled[0]]);
  });

  it("filters, and prints JSON with the counts", async () => {
    const { stdout, stderr } = await fanOut("--all", "--label", "2", "--min-score", "0", "--json");
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { label: "2" },
      { label: "2" },
      { label: "2" },
      { done: true, profiles: 3, matched: 3 },
    ]);
    expect(stderr).toBe("");
    const scores = rows((await fanOut("--all", "--label", "2", "--top", "2")).stdout).map(([, , score]) =>
      Number(score),
    );
    expect(scores).toHaveLength(2);
    expect(scores[0]).toBeGreaterThanOrEqual(scores[1] ?? 1);
    expect((await fanOut("--all", "--min-score", "1")).stdout).toBe("");
  });

  it("says which profile fails, and fails", async () => {
    const { code, stdout, stderr } = await fanOut("--profile", "demo-000", "nobody");
    expect({ code, lines: rows(stdout).length }).toEqual({ code: 1, lines: 1 });
    expect(stderr).toMatch(/^nobody: .*no profile "nobody".*\n {2}\S.*\n2 profiles, 1 lines, 1 failed\. /);
    expect(await fanOut("--all", "--label", "9")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/unknown_label|no label "9"/),
    });
  });

  it("says why there are no profiles", async () => {
    expect(await fanOut("--prefix", "zz")).toEqual({
      code: 0,
      stdout: "",
      stderr: 'No profile\'s id starts with "zz".\n',
    });
    await remote.worker.push({ ...task, name: "empty" }, []);
    expect(await remote.runCli("fanout", "empty", TEXT, "--all")).toMatchObject({
      code: 0,
      stderr: "The task has no profiles.\n",
    });
  });

  it("needs the scope list for --all and --prefix", async () => {
    const key = await remote.worker.makeKey({ scopes: ["predict"] });
    expect(await fanOut("--all", "--key", key)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('scope "list"'),
    });
    expect(await fanOut("--profile", "demo-000", "--key", key)).toMatchObject({ code: 0 });
  });

  it.each([
    ["no profiles", []],
    ["profiles named twice", ["--all", "--prefix", "demo"]],
    ["a top without a label", ["--all", "--top", "2"]],
    ["a top of 0", ["--all", "--label", "2", "--top", "0"]],
    ["an empty prefix", ["--prefix", ""]],
    ["a score over 1", ["--all", "--min-score", "2"]],
    ["an invalid id", ["--profile", "a/b"]],
  ])("rejects %s as wrong usage", async (_, args) => {
    expect(await fanOut(...args)).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(/\S/) });
  });
});
