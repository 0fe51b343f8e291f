import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { readBundle } from "../../node/files.ts";
import type { NewTask } from "../../src/profiles/task.ts";
import { type OpenPage, saveScreenshot } from "../support/browser.ts";
import { profilesFile, taskFile, taskFor } from "../support/rows.ts";
import { type FanOutProxy, startFanOutProxy } from "./fan-out-proxy.ts";
import { actionsOn, openPlayground, worker } from "./pages.ts";

const TEXT = "Senate passes bill after long night";
const COUNT = 3000;
const ROWS_A_PAGE = 50;

interface Line {
  readonly profile: string;
  readonly label: string;
  readonly score: number;
}

/** Writes a task, and imports profiles that differ in their label bias. */
async function importReaders(task: NewTask): Promise<void> {
  await worker.request("PUT", `/v1/tasks/${task.name}`, { body: taskFile(task) });
  const profiles = Array.from({ length: COUNT }, (_, index) => ({
    id: `reader-${String(index).padStart(4, "0")}`,
    masks: new Uint8Array(),
    labelBias: Uint8Array.of(index % 128, (5 * index) % 128, (11 * index) % 128),
  }));
  const answer = await worker.request("POST", `/v1/tasks/${task.name}/import`, {
    body: profilesFile(task.name, profiles),
    headers: { "content-type": "application/x-ndjson" },
  });
  expect(await answer.text()).toContain(`"created":${COUNT}`);
}

/** Returns what the API says, by label, the label with the most profiles first and each with its best scores first. */
async function audienceOf(task: string, prefix = ""): Promise<[label: string, lines: Line[]][]> {
  const body = { task, text: TEXT, profiles: { prefix } };
  const answer = await (await worker.request("POST", "/v1/fanout", { body })).text();
  const lines: Line[] = answer
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter((line) => "profile" in line);
  const groups = [...Map.groupBy(lines, ({ label }) => label)];
  for (const [, group] of groups) group.sort((a, b) => b.score - a.score);
  return groups.sort(([, a], [, b]) => b.length - a.length);
}

export function testAudience(): void {
  let opened: OpenPage;
  let proxy: FanOutProxy;
  let { at, fill, press, textOf } = {} as ReturnType<typeof actionsOn>;

  beforeAll(async () => {
    await importReaders(taskFor(await readBundle("bundles/minilm-l6-v2"), { name: "readers" }));
    proxy = await startFanOutProxy(worker);
  });
  afterAll(() => proxy?.close());
  beforeEach(async () => {
    proxy.cuts = [];
    opened = await openPlayground("/");
    ({ at, fill, press, textOf } = actionsOn(opened.page));
    await fill("key", worker.adminKey);
    await choose("readers");
    await opened.page.route("**/v1/fanout", (route) => route.continue({ url: proxy.url }));
  });
  afterEach(async () => {
    expect(opened.browserErrors).toEqual([]);
    await opened.page.context().close();
  });

  async function choose(task: string): Promise<void> {
    await at("task").selectOption(task);
    await fill("sentence", TEXT);
  }
  const status = () => expect.poll(() => textOf("audience-status"));
  const bars = () => at("bars").locator("label").allInnerTexts();
  const members = () => at("members").locator("tbody tr").allInnerTexts();
  const rowsOf = (lines: readonly Line[]) =>
    lines.map(({ profile, score }) => `${profile}\t${(100 * score).toFixed(1)}%`);

  /** Checks the histogram against the API's answer. */
  async function expectBars(groups: readonly [string, readonly Line[]][]): Promise<void> {
    const total = groups.reduce((sum, [, { length }]) => sum + length, 0);
    const lines = groups.map(
      ([label, { length }]) => `${label}\n${length.toLocaleString("en")} (${((100 * length) / total).toFixed(1)}%)`,
    );
    expect((await bars()).slice(0, lines.length).map((line) => line.trim().replace(/\s*\n\s*/, "\n"))).toEqual(lines);
  }

  it("shows how many profiles give each label, and a page of those of the chosen label", async () => {
    const [first, second, ...others] = await audienceOf("readers");
    if (!first || !second) throw new Error("All profiles give the same label.");
    await press("label");
    await status().toBe("3,000 profiles.");
    await expectBars([first, second, ...others]);
    expect(await at("members").isHidden()).toBe(true);
    // The radio buttons are one stop of the Tab key, and arrows choose.
    await at("bars").locator("input").first().press("Space");
    expect(await members()).toEqual(rowsOf(first[1].slice(0, ROWS_A_PAGE)));
    await press("next-members");
    expect(await members()).toEqual(rowsOf(first[1].slice(ROWS_A_PAGE, 2 * ROWS_A_PAGE)));
    expect(await textOf("member-range")).toBe("Rows 51 to 100");
    await press("previous-members");
    expect(await at("previous-members").isDisabled()).toBe(true);
    await at("bars").locator("input:checked").press("ArrowDown");
    expect(await members()).toEqual(rowsOf(second[1].slice(0, ROWS_A_PAGE)));
    await saveScreenshot(opened.page, "audience");
    // The chosen label stays for another sentence or prefix.
    await fill("prefix", "reader-00");
    await press("label");
    await status().toBe("100 profiles.");
    const few = await audienceOf("readers", "reader-00");
    await expectBars(few);
    expect(await members()).toEqual(rowsOf(few.find(([label]) => label === second[0])?.[1] ?? []));
    await fill("prefix", "nobody");
    await press("label");
    await status().toBe("There are no such profiles.");
    expect(await at("audience").isHidden()).toBe(true);
  });

  it("updates while the answer arrives, and cancels the request for another sentence, request or task", async () => {
    const partly = "Labelling… 1,000 profiles so far.";
    proxy.cuts = Array.from({ length: 4 }, () => ({ lines: 1200, how: "wait" as const }));
    await press("label");
    await status().toBe(partly);
    await at("bars").locator("input").first().check();
    expect(await members()).toHaveLength(ROWS_A_PAGE);
    await at("sentence").press("!");
    await status().toMatch(/^Stopped\. 1,\d+ profiles so far\.$/);
    await expect.poll(() => proxy.cancelled).toBe(1);
    expect(await at("stop-audience").isDisabled()).toBe(true);
    await press("label");
    await status().toBe(partly);
    await press("label");
    await expect.poll(() => proxy.cancelled).toBe(2);
    await status().toBe(partly);
    await press("stop-audience");
    await status().toMatch(/^Stopped/);
    await expect.poll(() => proxy.cancelled).toBe(3);
    await press("label");
    await status().toBe(partly);
    await choose("plain");
    await expect.poll(() => proxy.cancelled).toBe(4);
    expect(await textOf("audience-status")).toBe("");
    expect(await at("audience").isHidden()).toBe(true);
    await press("label");
    await status().toBe("2 profiles.");
  });

  it("says what is missing, and what to do", async () => {
    await fill("key", await worker.makeKey({ scopes: ["predict"] }));
    await press("label");
    await status().toMatch(/scope "list"\. Enter a key with the scopes predict and list\./);
    await fill("key", worker.adminKey);
    await worker.request("PUT", "/v1/tasks/soon-gone", {
      body: taskFile(taskFor(await readBundle("bundles/minilm-l6-v2"), { name: "soon-gone" })),
    });
    await at("key").blur();
    await at("task").locator("option", { hasText: "soon-gone" }).waitFor({ state: "attached" });
    await choose("soon-gone");
    await worker.request("DELETE", "/v1/tasks/soon-gone");
    await press("label");
    await status().toMatch(/"soon-gone".* Reload the page/);
    expect(await at("audience").isHidden()).toBe(true);
  });

  it("resumes an interrupted answer once", async () => {
    const whole = await audienceOf("readers");
    proxy.cuts = [{ lines: 700, how: "break" }];
    await press("label");
    await status().toBe("3,000 profiles.");
    await expectBars(whole);
    proxy.cuts = [
      { lines: 501, how: "end" },
      { lines: 501, how: "end" },
    ];
    await press("label");
    await status().toBe("The answer was interrupted twice. Press Label to start again. 1,000 profiles so far.");
    expect(await at("audience").isVisible()).toBe(true);
  });
}
