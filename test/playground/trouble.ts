import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { labelsOf, MANY, openView, TEXT, type View, worker } from "./pages.ts";
import { startProxy, type Trouble, type TroubledProxy } from "./proxy.ts";

const BANNERS: Record<Trouble, string> = {
  slow: "Waiting for the service. It takes longer than usual.",
  failing: "The database is away. The page tries again by itself.",
  full: "Too many requests. The page tries again by itself.",
  away: "The service cannot be reached. The page tries again by itself.",
};

/** Other tests make profiles too. */
const ALL = /^All \d+ profiles$/;

const TROUBLES = Object.keys(BANNERS) as Trouble[];

/** A service in trouble: each view says so, and goes on by itself once it is over. */
export function testTrouble(): void {
  let proxy: TroubledProxy;
  let view: View;
  beforeAll(async () => {
    proxy = await startProxy(worker);
  });
  afterAll(() => proxy?.close());
  afterEach(async () => {
    proxy.release();
    await view.close();
  });

  const open = (path: string) => openView(path, "demo", { origin: proxy.origin });
  const banner = () => view.textOf("service");

  it.each(TROUBLES)("compares once a service that is %s answers", async (trouble) => {
    view = await open("/");
    await view.page.getByRole("heading", { name: ALL }).or(view.at("text")).first().waitFor();
    proxy.trouble = trouble;
    await view.at("text").fill(TEXT);
    await expect.poll(banner).toBe(BANNERS[trouble]);
    proxy.release();
    const [expected] = (await labelsOf("demo", TEXT, ["demo-000"])).values();
    const card = view.at("answers").locator("li", { hasText: "demo-000" });
    await expect.poll(() => view.textOf(card.locator(".card-label"))).toContain(expected);
    await view.page.getByRole("heading", { name: ALL }).waitFor();
    await expect.poll(banner).toBe("");
  });

  it("resumes the labels of all profiles where a connection broke, and counts each profile once", async () => {
    view = await openView("/", "readers", { origin: proxy.origin });
    proxy.cuts = 2;
    await view.at("text").fill(TEXT);
    await view.page.getByRole("heading", { name: "All 10,000 profiles" }).waitFor();
    expect(proxy.cuts).toBe(0);
    const counts = await view.page.locator(".groups .number").allInnerTexts();
    expect(counts.map((text) => Number(text.replace(/,| \(.*/g, ""))).reduce((sum, count) => sum + count)).toBe(MANY);
  });

  it.each(TROUBLES)("opens its list of tasks once a service that is %s answers", async (trouble) => {
    proxy.trouble = trouble;
    view = await open("/profiles");
    await expect.poll(banner).toBe(BANNERS[trouble]);
    proxy.release();
    await view.page.getByRole("heading", { name: /^\d+ profiles$/ }).waitFor();
    await expect.poll(banner).toBe("");
  });

  it.each(["slow", "failing", "full"] as const)("teaches once a service that is %s answers", async (trouble) => {
    view = await open("/teach");
    await view.at("add").fill("A boat\tlow\nA pond\tlow\nA duck\tlow\nA gear\thigh\nAn engine\thigh\nA piston\thigh");
    proxy.trouble = trouble;
    await view.button("Add").click();
    await expect.poll(banner).toBe(BANNERS[trouble]);
    proxy.release();
    await expect.poll(() => view.textOf("learn-status")).toContain("of 6 held-out sentences are right");
    await expect.poll(banner).toBe("");
  });
}
