import { afterEach, expect, it } from "vitest";
import { saveScreenshot } from "../support/browser.ts";
import { MANY, openView, type View, worker } from "./pages.ts";

export function testProfilesView(): void {
  let view: View;
  afterEach(() => view.close());

  const chosen = () => view.textOf(view.page.locator("#profile-list [aria-selected=true]"));
  const title = (name: string) => view.page.getByRole("heading", { name, exact: true }).waitFor();

  it("lists, finds and orders 10,000 profiles, and draws only those in view", async () => {
    view = await openView("/profiles", "readers");
    await title("10,000 profiles");
    const list = view.at("profile-list");
    expect(await list.getByRole("option").count()).toBeLessThan(60);
    await list.press("End");
    await title("reader-09999");
    expect(await list.getByRole("option", { selected: true }).getAttribute("aria-posinset")).toBe(String(MANY));
    await view.at("search").fill("R-0123");
    await expect.poll(() => view.textOf("list-status")).toBe("10 found.");
    await list.press("Home");
    await title("reader-01230");
    await worker.request("PUT", "/v1/profiles/readers/reader-00007", { body: { masks: "" } });
    await view.page.reload();
    await title("10,000 profiles");
    await view.at("order").selectOption("generation");
    await list.press("Home");
    await title("reader-00007");
    expect(await view.textOf("history-status")).toBe("");
    await view.page.getByText("This profile has no masks").waitFor();
  });

  it("puts each adapter of a mask in words, and compares masks with chance", async () => {
    view = await openView("/profiles", "pooled");
    await title("demo-000");
    await expect.poll(() => view.at("mask-grid").locator("rect").count()).toBe(64);
    expect(await view.at("mask-grid").locator("rect.chosen").count()).toBe(32);
    expect(await view.textOf("mask-cell")).toMatch(/^Layer 6, down, adapter 1: (not )?chosen\. \d+% of the profiles/);
    await view.at("mask-grid").press("ArrowDown");
    await view.at("mask-grid").press("ArrowRight");
    expect(await view.textOf("mask-cell")).toMatch(/^Layer 6, up, adapter 2: /);
    await view.at("mask-grid").locator("rect").nth(9).hover();
    await expect.poll(() => view.textOf("mask-cell")).toMatch(/^Layer 6, down, adapter 10: /);
    await view.page.getByText("It chooses 32 adapters. By chance, two profiles share about 16.").waitFor();
    const [nearest] = await view.at("neighbours").getByRole("button").allInnerTexts();
    await view.at("neighbours").getByRole("button").first().click();
    await title(nearest ?? "");
    await expect.poll(chosen).toContain(nearest);
    await saveScreenshot(view.page, "profiles");
  });

  it("rolls a profile back", async () => {
    const path = "/v1/profiles/demo/demo-014";
    const { masks } = await (await worker.get("/v1/profiles/demo/demo-000")).json<{ masks: string }>();
    const before = await (await worker.get(path)).json<{ masks: string }>();
    await worker.request("PUT", path, { body: { masks } });
    view = await openView("/profiles", "demo");
    await view.at("search").fill("demo-014");
    await expect.poll(() => view.textOf("list-status")).toBe("1 found.");
    await view.at("profile-list").press("Home");
    await title("demo-014");
    await view.button("Roll back to generation 1").click();
    await expect.poll(() => view.textOf("history-status")).toBe("Generation 3 restores generation 1.");
    expect(await (await worker.get(path)).json()).toMatchObject({ masks: before.masks, generation: 3 });
    await expect.poll(() => view.page.getByText("generation 3,").count()).toBe(1);
  });

  it("shows a map on which a click chooses a profile", async () => {
    view = await openView("/profiles", "demo");
    const map = view.page.getByRole("img", { name: "A map of" });
    await map.waitFor();
    const first = await chosen();
    const { width, height } = (await map.boundingBox()) ?? { width: 0, height: 0 };
    for (const [x, y] of [
      [0.1, 0.1],
      [0.9, 0.9],
      [0.1, 0.9],
    ] as const) {
      await map.locator(".u-over").click({ position: { x: x * width * 0.9, y: y * height * 0.9 } });
      if ((await chosen()) !== first) return;
    }
    throw new Error("No click has chosen another profile.");
  });

  it("says what is wrong with a damaged row, and shows the others", async () => {
    await worker.db.exec("UPDATE profiles SET masks = x'00' WHERE task = 'demo' AND id = 'demo-013'");
    view = await openView("/profiles", "demo");
    await view.page.getByRole("img", { name: "A map of" }).waitFor();
    await view.at("search").fill("demo-013");
    await expect.poll(() => view.textOf("list-status")).toBe("1 found.");
    await view.at("profile-list").press("Home");
    await view.page.getByText("Roll it back to an earlier generation, or write it again.").waitFor();
    await view.page.getByRole("link", { name: "Compare" }).click();
    await view.at("text").fill("A boat on the pond");
    await view.at("choose").locator("summary").click();
    await view.at("profiles").fill("demo-012\ndemo-013");
    await view.at("profiles").blur();
    await expect.poll(() => view.at("answers").locator("li").count()).toBe(2);
    expect(await view.at("answers").locator(".problem").count()).toBe(1);
    expect(await view.textOf("service")).toBe("");
    await expect.poll(() => view.textOf("agreement-status")).toMatch(/1 profile cannot answer\. demo-013: /);
    await worker.request("DELETE", "/v1/profiles/demo/demo-013");
  });

  it("says which key it needs", async () => {
    view = await openView("/profiles", "demo", { key: await worker.makeKey({ scopes: ["predict"] }) });
    await view.page.getByRole("alert").getByText("Enter a key that has it at the top of the page.").waitFor();
  });
}
