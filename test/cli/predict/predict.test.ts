import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { quietEnv } from "../../../scripts/install.mjs";
import { runProgram } from "../../support/processes.ts";
import { useRemote } from "../../support/remote.ts";

const TEXT = "Senate passes bill after long night";

const remote = useRemote();

describe("xpeft predict", () => {
  const predict = (...args: string[]) => remote.runCli("predict", "demo", ...args);

  it("prints a line for each text: label and score", async () => {
    const { code, stdout } = await predict(TEXT, "Thank you", "--profile", "demo-000");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^([123]\t[01]\.\d{4}\n){2}$/);
    const [best] = (await predict(TEXT, "--profile", "demo-000", "--top", "3")).stdout.split("\n");
    expect(best).toMatch(/^([123]\t[01]\.\d{4}\t?){3}$/);
    expect(stdout.startsWith(`${best?.split("\t").slice(0, 2).join("\t")}\n`)).toBe(true);
  });

  it("reads more lines of a file than fit in a request, and numbers them consecutively", async () => {
    const path = join(remote.folder, "texts.ndjson");
    const line = (text: string, profile?: string) => `${JSON.stringify({ text, profile })}\n`;
    await writeFile(path, `${line(TEXT, "demo-002").repeat(256)}${line("")}${line(TEXT)}`);
    const { code, stdout, stderr } = await predict("--file", path, "--json", "--profile", "demo-001");
    const answers = stdout
      .trimEnd()
      .split("\n")
      .map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(answers.map((one) => one.line)).toEqual(Array.from({ length: 258 }, (_, index) => index + 1));
    expect(answers[255]).toMatchObject({ profile: "demo-002" });
    expect(answers[256]).toMatchObject({ error: { code: "empty_text" } });
    expect(answers[257]).toMatchObject({ profile: "demo-001" });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^\S+texts\.ndjson:257: empty_text: /);
    expect(await predict(TEXT, "--file", path)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("not both"),
    });
  });

  it("marks answers whose score is too low", async () => {
    const { stdout } = await predict(TEXT, "--profile", "demo-000");
    const abstained = await predict(TEXT, "--profile", "demo-000", "--abstain-below", "1");
    expect(abstained).toEqual({ code: 0, stdout: `${stdout.trimEnd()}\tabstained\n`, stderr: "" });
    expect((await predict(TEXT, "--profile", "demo-000", "--abstain-below", "0.1")).stdout).toBe(stdout);
  });

  it("gives the hint of lines that fail alike once", async () => {
    const { code, stderr } = await predict(TEXT, TEXT, "Thank you", "--profile", "nobody");
    expect(code).toBe(1);
    expect(stderr.match(/^text \d: unknown_profile: /gm)).toHaveLength(3);
    expect(stderr.match(/List the profiles/g)).toHaveLength(1);
  });

  it("rejects --scores without --json, where it has no effect", async () => {
    expect(await predict(TEXT, "--scores")).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/^Without --json, --scores has no effect\.\n {2}.*--top/),
    });
  });
});

describe("the texts that xpeft predict reads", () => {
  /** Runs the command in a shell with a file as its standard input. */
  const predictShell = (command: string, file: string) =>
    runProgram("bash", ["-c", command, "bash", file], {
      env: {
        XPEFT: `${process.execPath} cli/xpeft.ts predict demo --profile demo-000`,
        XPEFT_URL: String(remote.worker.url),
        XPEFT_KEY: remote.worker.adminKey,
        ...quietEnv,
      },
    });

  async function predict(name: string, content: string | Uint8Array, ...args: string[]) {
    const path = join(remote.folder, name);
    await writeFile(path, content);
    return await remote.runCli("predict", "demo", "--file", path, "--profile", "demo-000", ...args);
  }
  const labels = (...texts: string[]) => remote.runCli("predict", "demo", ...texts, "--profile", "demo-000");
  const [rain, rice] = ["Rain is expected\u2028tomorrow", "Ten ways to cook rice"];

  it("are one a line, whatever other programs take for line ends", async () => {
    const wanted = await labels(rain, rice);
    expect(wanted.stdout.split("\n")).toHaveLength(3);
    expect(await predict("texts.txt", `${rain}\n${rice}\n`)).toEqual(wanted);
    expect(await predict("texts.txt", `\ufeff${rain}\r\n${rice}`)).toEqual(wanted);
    expect(await predict("texts.txt", `${rain}\r${rice}\r`)).toEqual(wanted);
    expect(await predict("texts.txt.gz", gzipSync(`${rain}\n${rice}\n`))).toEqual(wanted);
    expect(await predict("texts.ndjson", `${JSON.stringify({ text: rain })}\n\n{"text":"${rice}"}\n`)).toEqual(wanted);
    const gzip = join(remote.folder, "gzip");
    await writeFile(gzip, gzipSync(`${rain}\n${rice}\n`));
    expect(await predictShell('$XPEFT < "$1"', gzip)).toEqual(wanted);
  });

  it("are a table's column text, with its profiles and second texts", async () => {
    const wanted = await labels(rice, "A bill");
    expect(await predict("texts.csv", `text,label\n${rice},x\nA bill,y\n,\n`)).toEqual(wanted);
    expect(await predict("texts.tsv", `id\tText\n7\t${rice}\n8\tA bill\n`)).toEqual(wanted);
    const { stdout } = await predict("texts.csv", `profile;text\ndemo-001; a\n\n;b\n`, "--json");
    const answers = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(answers).toMatchObject([
      { line: 2, profile: "demo-001" },
      { line: 4, profile: "demo-000" },
    ]);
  });

  it.each([
    [
      "latin-1",
      "texts.txt",
      Buffer.from("Rain\n\nCaf\xe9 opens\n", "latin1"),
      /texts\.txt:3: it is not UTF-8 \(byte 4\)/,
    ],
    ["UTF-16", "texts.txt", Buffer.from("\ufeffRain\n", "utf16le"), /texts\.txt:1: it is UTF-16/],
    ["gzip that is cut", "texts.gz", gzipSync(rice).subarray(0, 20), /texts\.gz cannot be read/],
    ["a table without texts", "texts.csv", "headline,label\na,1\n", /texts\.csv:1: there is no column "text"/],
    ["a JSON array", "texts.json", `[{"text": "${rice}"}]`, /texts\.json:1: it is a JSON array/],
  ])("are not %s", async (_, name, content, message) => {
    expect(await predict(name, content)).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(message) });
    if (!name.endsWith(".txt")) return;
    expect(await predictShell('$XPEFT < "$1"', join(remote.folder, name))).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^standard input:/),
    });
  });

  it("may be more than the reader of the labels wants", async () => {
    const path = join(remote.folder, "many.txt");
    await writeFile(path, "Story\n".repeat(600));
    const { stdout, stderr } = await predictShell('$XPEFT --file "$1" | head -2; echo "$PIPESTATUS"', path);
    expect({ stdout, stderr }).toEqual({ stdout: expect.stringMatching(/^(\d\t0\.\d+\n){2}141\n$/), stderr: "" });
  });
});
