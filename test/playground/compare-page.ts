import { afterEach, beforeEach, expect, it } from "vitest";
import { type OpenPage, saveScreenshot } from "../support/browser.ts";
import { actionsOn, openPlayground, worker } from "./pages.ts";

const TEXT = "Senate passes bill after long night";

/** Returns the API's label for each profile. */
async function labelsOf(text: string, profiles: readonly string[]): Promise<string[]> {
  const answer = await worker.predict({ task: "demo", inputs: profiles.map((profile) => ({ profile, text })) });
  const { predictions } = await answer.json<{ predictions: { label: string }[] }>();
  return predictions.map(({ label }) => label);
}

export function testComparePage(): void {
  let opened: OpenPage;
  let { at, fill, press, textOf } = {} as ReturnType<typeof actionsOn>;

  beforeEach(async () => {
    opened = await openPlayground("/");
    ({ at, fill, press, textOf } = actionsOn(opened.page));
  });
  afterEach(async () => {
    expect(opened.browserErrors).toEqual([]);
    await opened.page.context().close();
  });

  it("shows answers side by side, with timings and differences", async () => {
    const profiles = ["demo-000", "demo-001", "demo-002", "demo-003"];
    await fill("profiles", profiles.join("\n"));
    await fill("text", TEXT);
    await press("compare");
    const labels = await labelsOf(TEXT, profiles);
    await expect
      .poll(() => at("answers").locator("caption").allInnerTexts())
      .toEqual(profiles.map((profile, place) => `${profile}: ${labels[place]}`));
    expect(await textOf("status")).toMatch(/^(All 4 profiles answer|They differ: \d × )/);
    expect(await textOf("phases")).toMatch(/encoder\s+\d+ ms/);
    expect(await at("overlap").isHidden()).toBe(true);
  });

  it("shows sizes, and the masks of any two profiles, with a key that may read them", async () => {
    await fill("key", worker.adminKey);
    await press("first-profiles");
    await expect.poll(() => at("profiles").inputValue()).toMatch(/^demo-000\n/);
    await fill("text", TEXT);
    await press("compare");
    await expect.poll(() => at("masks").locator("tr").count()).toBe(2);
    expect(await textOf("answers")).toContain("64 bytes, generation 1");
    expect(await textOf("shared-adapters")).toMatch(
      /^They share \d+ of the 256 adapters that each chooses\. By chance they would share about 128\.$/,
    );
    await at("second-profile").selectOption("demo-000");
    await expect.poll(() => textOf("shared-adapters")).toMatch(/^They share 256 of/);
    await saveScreenshot(opened.page, "compare");
  });

  it("shows masks over the task's own pool", async () => {
    await at("task").selectOption("pooled");
    await fill("key", worker.adminKey);
    await fill("profiles", "demo-000\ndemo-001");
    await fill("text", TEXT);
    await press("compare");
    await expect
      .poll(() => textOf("shared-adapters"))
      .toMatch(/^They share \d+ of the 32 adapters that each chooses\. By chance they would share about 16\.$/);
    expect(await textOf("answers")).toContain("8 bytes, generation 1");
  });

  it("says which profiles have no masks to compare", async () => {
    await at("task").selectOption("plain");
    await fill("key", worker.adminKey);
    await fill("profiles", "demo-000\ndemo-001");
    await fill("text", TEXT);
    await press("compare");
    await expect
      .poll(() => textOf("shared-adapters"))
      .toBe("No masks: demo-000 and demo-001. There is nothing to compare.");
    expect(await at("masks").locator("tr").count()).toBe(0);
    expect(await textOf("answers")).toContain("0 bytes, generation 1");
  });

  it("shows one profile's error beside the answers of the others", async () => {
    await fill("profiles", "demo-000\nnobody");
    await fill("text", TEXT);
    await press("compare");
    await expect.poll(() => at("answers").locator("> *").count()).toBe(2);
    expect(await at("answers").locator(".problem").allInnerTexts()).toEqual([expect.stringContaining("nobody")]);
    await fill("profiles", Array.from({ length: 17 }, (_, index) => `demo-${index}`).join("\n"));
    await press("compare");
    await expect.poll(() => textOf("trouble")).toMatch(/^17 profiles are too many/);
  });

  it("ranks profiles by labelled texts", async () => {
    const [first] = await labelsOf(TEXT, ["demo-000"]);
    await fill("profiles", "demo-000\ndemo-001\nnobody");
    await fill("labelled", `${TEXT}\t${first}\nno label here`);
    await press("rank");
    await expect.poll(() => textOf("rank-status")).toMatch(/^Line 2 must end in a tab/);
    await fill("labelled", `${TEXT}\t${first}\n\n${TEXT}\t${first}`);
    await press("rank");
    await expect.poll(() => textOf("rank-status")).toBe("2 texts, 3 profiles.");
    const rows = await at("ranking").locator("tbody tr").allInnerTexts();
    expect(rows[0]).toMatch(/^demo-00[01]\s+2 of 2 \(100%\)/);
    expect(rows.find((row) => row.startsWith("demo-000"))).toMatch(/2 of 2 \(100%\)/);
    expect(rows[2]).toMatch(/^nobody\s+.*no profile "nobody"/);
  });

  it("clears the previous task's answers when another task is chosen", async () => {
    await fill("profiles", "demo-000");
    await fill("text", TEXT);
    await press("compare");
    await expect.poll(() => at("answers").locator("> *").count()).toBe(1);
    await at("task").dispatchEvent("change");
    expect(await textOf("answers")).toBe("");
    expect(await at("profiles").inputValue()).toBe("");
  });
}
