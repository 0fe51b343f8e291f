import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readBundle } from "../../node/files.ts";
import { type Browser, chromium, type Page, startBrowser } from "../support/browser.ts";
import { profilesOf, taskFor } from "../support/rows.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";

const TEXT = "Senate passes bill after long night";

let worker: RunningWorker;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  if (!chromium) return;
  [worker, browser] = await Promise.all([startWorker(), startBrowser()]);
  await worker.push(taskFor(await readBundle("bundles/minilm-l6-v2")), profilesOf(5));
});
afterAll(async () => {
  await browser?.close();
  await worker?.close();
});

beforeEach(async () => {
  if (!chromium) return;
  page = await browser.open(new URL("/", worker.url).href);
  await page.until(`at("task").value === "demo"`);
});
afterEach(() => {
  if (chromium) expect(page.complaints).toEqual([]);
});

const textOf = (id: string) => page.value<string>(`at(${JSON.stringify(id)}).innerText`);

async function fill(id: string, text: string): Promise<void> {
  await page.value(`at(${JSON.stringify(id)}).select()`);
  await page.type(text);
}

/** Presses a button by its key. */
async function press(id: string): Promise<void> {
  await page.value(`at(${JSON.stringify(id)}).focus()`);
  await page.press("Enter");
}

/** The label that the API answers for each profile. */
async function labelsOf(text: string, profiles: readonly string[]): Promise<string[]> {
  const answer = await worker.predict({ task: "demo", inputs: profiles.map((profile) => ({ profile, text })) });
  const { predictions } = await answer.json<{ predictions: { label: string }[] }>();
  return predictions.map(({ label }) => label);
}

describe.skipIf(!chromium)("the page that compares profiles (needs a Chromium)", () => {
  it("shows many answers side by side, how long they took, and what differs", async () => {
    const profiles = ["demo-000", "demo-001", "demo-002", "demo-003"];
    await fill("profiles", profiles.join("\n"));
    await fill("text", TEXT);
    await press("compare");
    await page.until(`at("answers").querySelectorAll("table").length === 4`);
    const labels = await labelsOf(TEXT, profiles);
    const captions = await page.value<string[]>(
      `[...document.querySelectorAll("#answers caption")].map((one) => one.innerText)`,
    );
    expect(captions).toEqual(profiles.map((profile, place) => `${profile}: ${labels[place]}`));
    expect(await textOf("status")).toMatch(/^(All 4 say|They differ: \d × )/);
    expect(await textOf("phases")).toMatch(/encoder\s+\d+ ms/);
    expect(await page.value(`at("overlap").hidden`)).toBe(true);
  });

  it("shows bytes, and the masks of any two, to who may read them", async () => {
    await fill("key", worker.adminKey);
    await page.value(`at("key").dispatchEvent(new Event("change"))`);
    await page.until(`at("task").value === "demo"`);
    await press("some");
    await page.until(`at("profiles").value.startsWith("demo-000")`);
    await fill("text", TEXT);
    await press("compare");
    await page.until(`!at("overlap").hidden && at("masks").querySelectorAll("tr").length === 12`);
    expect(await textOf("answers")).toContain("156 bytes, generation 1");
    const shared = await textOf("changes");
    expect(shared).toMatch(/^They share \d+ of the 600 adapters that each chooses; by chance it would be some 300\.$/);
    await page.value(`at("other").value = "demo-000"; at("other").dispatchEvent(new Event("change"))`);
    await page.until(`at("changes").innerText.startsWith("They share 600 of")`);
    await page.screenshot("compare");
  });

  it("shows what is wrong with one profile beside the answers of the others", async () => {
    await fill("profiles", "demo-000\nnobody");
    await fill("text", TEXT);
    await press("compare");
    await page.until(`at("answers").children.length === 2`);
    expect(await page.value(`at("answers").querySelector(".problem").innerText`)).toContain("nobody");
    await fill("profiles", Array.from({ length: 17 }, (_, index) => `demo-${index}`).join("\n"));
    await press("compare");
    await page.until(`at("trouble").innerText.startsWith("17 profiles are more")`);
  });

  it("ranks profiles by labelled texts", async () => {
    const [first] = await labelsOf(TEXT, ["demo-000"]);
    await fill("profiles", "demo-000\ndemo-001\nnobody");
    await fill("labelled", `${TEXT}\t${first}\nno label here`);
    await press("try");
    await page.until(`at("tried").innerText.startsWith("Line 2 does not end in a tab")`);
    await fill("labelled", `${TEXT}\t${first}\n\n${TEXT}\t${first}`);
    await press("try");
    await page.until(`at("tried").innerText === "2 texts, 3 profiles."`);
    const rows = await page.value<string[]>(
      `[...at("ranks").querySelectorAll("tbody tr")].map((one) => one.innerText)`,
    );
    expect(rows[0]).toMatch(/^demo-00[01]\s+2 of 2 \(100%\)/);
    expect(rows.find((row) => row.startsWith("demo-000"))).toMatch(/2 of 2 \(100%\)/);
    expect(rows[2]).toMatch(/^nobody\s+.*no profile "nobody"/);
  });

  it("shows nothing of another task once that is chosen", async () => {
    await fill("profiles", "demo-000");
    await fill("text", TEXT);
    await press("compare");
    await page.until(`at("answers").children.length === 1`);
    await page.value(`at("task").dispatchEvent(new Event("change"))`);
    expect(await textOf("answers")).toBe("");
    expect(await page.value(`at("profiles").value`)).toBe("");
  });
});
