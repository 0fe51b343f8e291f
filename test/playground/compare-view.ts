import { afterEach, expect, it } from "vitest";
import { saveScreenshot } from "../support/browser.ts";
import { labelsOf, MANY, openView, TEXT, type View, worker } from "./pages.ts";

const OTHER_TEXT = "The gearbox is loud";
const FIRST = Array.from({ length: 12 }, (_, place) => `reader-${String(place).padStart(5, "0")}`);

/** Returns what the cards say, in their order. */
async function cardsOf({ at }: View): Promise<{ profile: string; label: string; differs: boolean }[]> {
  const cards = await at("answers").locator("li").all();
  return Promise.all(
    cards.map(async (card) => {
      const [profile = "", label = ""] = await card.locator(".card-id > span, .card-label").allInnerTexts();
      return { profile, label: label.replace("differs", "").trim(), differs: label.includes("differs") };
    }),
  );
}

export function testCompareView(): void {
  let view: View;
  afterEach(() => view.close());

  const cards = () => cardsOf(view);
  const labels = async () => new Map((await cards()).map(({ profile, label }) => [profile, label]));

  it("answers as the user types, for twelve profiles, disagreement first", async () => {
    view = await openView("/", "readers");
    await view.at("text").fill(TEXT);
    await expect.poll(labels).toEqual(await labelsOf("readers", TEXT, FIRST));
    const shown = await cards();
    const counts = Map.groupBy(shown, ({ label }) => label);
    const sizes = shown.map(({ label }) => counts.get(label)?.length ?? 0);
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
    const most = Math.max(...sizes);
    expect(shown.filter(({ differs }) => differs).length).toBeGreaterThanOrEqual(shown.length - most);
    expect(await view.textOf("status")).toMatch(/^\d+ of these 12 disagrees? with|^They differ: /);
    expect(await view.textOf("answers")).toContain("3 bytes");
    await view.at("text").pressSequentially(". No way!");
    await expect.poll(labels).toEqual(await labelsOf("readers", `${TEXT}. No way!`, FIRST));
    await view.at("timings").locator("summary").click();
    expect(await view.textOf("timings")).toMatch(/Language model\s+\d+ ms/);
    await saveScreenshot(view.page, "compare");
  });

  it("shows what all profiles say, and who says a label", async () => {
    view = await openView("/", "readers");
    await view.at("text").fill(TEXT);
    const body = { task: "readers", text: TEXT, profiles: "all" };
    const lines = (await (await worker.request("POST", "/v1/fanout", { body })).text()).trimEnd().split("\n");
    const { labels: counts } = JSON.parse(lines.at(-1) ?? "") as { labels: Record<string, number> };
    const all = view.page.locator(".groups button");
    const expected = Object.entries(counts)
      .filter(([, count]) => count > 0)
      .sort(([, a], [, b]) => b - a)
      .map(([label, count]) => `${label} ${count.toLocaleString("en")} (${((100 * count) / MANY).toFixed(1)}%)`);
    await expect
      .poll(async () => (await all.allInnerTexts()).map((text) => text.replace(/\s+/g, " ").trim()))
      .toEqual(expected);
    expect(await view.page.getByRole("heading", { name: "All 10,000 profiles" }).count()).toBe(1);
    await all.first().click();
    // Only the rows in view are drawn.
    const options = view.at("members").getByRole("option");
    expect(await options.count()).toBeLessThan(50);
    const label = expected[0]?.split(" ")[0];
    const best = lines
      .map((line): { label?: string; score: number } => JSON.parse(line))
      .filter((line) => line.label === label)
      .reduce((most, { score }) => Math.max(most, score), 0);
    expect(await view.textOf(options.first())).toContain(`${(100 * best).toFixed(1)}%`);
    await view.at("members").press("End");
    await view.page.locator(`#members-${(counts[label ?? ""] ?? 0) - 1}[aria-selected=true]`).waitFor();
  });

  it("shows one profile's error beside the answers of others, and limits their number", async () => {
    view = await openView("/", "demo");
    await view.at("text").fill(TEXT);
    await view.at("choose").locator("summary").click();
    await view.at("profiles").fill("demo-000\nnobody");
    await view.at("profiles").blur();
    await expect.poll(async () => (await cards()).map(({ profile }) => profile)).toEqual(["demo-000", "nobody"]);
    expect(await view.textOf(view.at("answers").locator(".problem"))).toContain('"nobody"');
    await view.at("profiles").fill(Array.from({ length: 17 }, (_, place) => `demo-${place}`).join("\n"));
    await view.at("profiles").blur();
    await expect.poll(() => view.textOf("choose")).toContain("17 profiles are too many. Enter at most 16.");
    await view.button("Show the first profiles").click();
    await expect.poll(async () => (await cards()).length).toBe(12);
  });

  it("says if the text is longer than the task reads", async () => {
    view = await openView("/", "demo");
    await view.at("text").fill("A boat ".repeat(100));
    await expect.poll(() => view.textOf("status")).toContain("The text is longer than the task reads: 32 tokens");
  });

  it("keeps the text of each task, also in other views", async () => {
    view = await openView("/", "demo");
    await view.at("text").fill(TEXT);
    await view.at("task").selectOption("plain");
    expect(await view.at("text").inputValue()).toBe("");
    expect(new URL(view.page.url()).searchParams.get("task")).toBe("plain");
    await view.at("text").fill(OTHER_TEXT);
    await expect.poll(async () => (await cards()).length).toBe(2);
    await view.page.getByRole("link", { name: "Profiles" }).click();
    await view.page.goBack();
    await view.at("text").waitFor();
    expect(await view.at("text").inputValue()).toBe(OTHER_TEXT);
    await view.at("task").selectOption("demo");
    expect(await view.at("text").inputValue()).toBe(TEXT);
  });

  it("asks for a key where the service does, and says what a key may not do", async () => {
    view = await openView("/", "demo", { key: null });
    await view.at("text").fill(TEXT);
    await expect
      .poll(() => view.textOf("status"))
      .toContain("Your key cannot list profiles, which takes the scope write. Enter ids below.");
    await view.page.getByText("use a key with the scopes predict and list").waitFor();
    await view.at("profiles").fill("demo-001");
    await view.at("profiles").blur();
    await expect.poll(labels).toEqual(await labelsOf("demo", TEXT, ["demo-001"]));
    await view.button("Enter a key").click();
    await view.at("key").fill("xpk_wrong");
    await view.at("key").press("Enter");
    await view.page.getByText(/Enter another key at the top of the page/).waitFor();
    await view.button("Key").click();
    await view.at("key").fill(worker.adminKey);
    await view.at("key").press("Enter");
    expect(await view.page.evaluate("document.activeElement.id")).toBe("main");
    await expect.poll(() => view.page.getByRole("heading", { name: /^All \d+ profiles$/ }).count()).toBe(1);
    await view.page.reload();
    await view.at("text").waitFor();
    expect(await view.button("Key").isVisible()).toBe(true);
  });
}
