import { afterEach, expect, it } from "vitest";
import { saveScreenshot } from "../support/browser.ts";
import { openView, type View, worker } from "./pages.ts";

const EXAMPLES = [
  ["A boat on the pond", "low"],
  ["Sails in the morning light", "low"],
  ["A duck beside the boat", "low"],
  ["Fish jump near the pier", "low"],
  ["The gearbox is loud", "high"],
  ["Oil drips from the engine", "high"],
  ["A piston without a ring", "high"],
  ["The clutch slips uphill", "high"],
] as const;

interface Profile {
  readonly generation: number;
}

export function testTeachView(): void {
  let view: View;
  afterEach(() => view.close());

  const add = async (text: string) => {
    await view.at("add").fill(text);
    await view.button("Add").click();
  };
  const profileOf = async () => {
    const id = await view.at("profile").inputValue();
    const response = await worker.get(`/v1/profiles/demo/${id}`);
    return response.ok ? await response.json<Profile>() : null;
  };
  const rename = async (id: string) => {
    await view.at("profile").fill(id);
    await view.at("profile").blur();
  };
  const rows = () => view.at("sentences").locator("tbody tr");

  it("learns from labels given by number keys, and shows accuracy and what changed", async () => {
    view = await openView("/teach", "demo");
    await add(EXAMPLES.map(([text]) => text).join("\n"));
    await expect.poll(() => rows().count()).toBe(EXAMPLES.length);
    await view.page.getByRole("heading", { name: "0 of 8 labelled" }).waitFor();
    const labels = (await (await worker.get("/v1/tasks/demo")).json<{ labels: string[] }>()).labels;
    await view.page.locator("h1").click();
    for (const [place, [text, label]] of EXAMPLES.slice(0, 6).entries()) {
      await expect.poll(() => view.textOf("next-sentence")).toBe(text);
      expect(await profileOf()).toBeNull();
      await view.page.keyboard.press(String(labels.indexOf(label) + 1));
      await view.page.getByRole("heading", { name: `${place + 1} of 8 labelled` }).waitFor();
    }
    await expect.poll(() => view.textOf("learn-status")).toMatch(/^\d+% of 6 held-out sentences are right\./);
    expect(await profileOf()).toMatchObject({ generation: 1 });
    expect(await view.page.getByRole("img", { name: /^Held-out accuracy: \d+% at 6$/ }).count()).toBe(1);
    await expect.poll(() => view.textOf("changed")).toMatch(/^Your profile answers \d sentences? differently/);
    const tags = await rows().getByText("changed").count();
    expect(await view.textOf("changed")).toContain(`answers ${tags} sentence`);
    // Each label more starts the learning again.
    await view.page.keyboard.press(String(labels.indexOf("high") + 1));
    await view.page.getByRole("img", { name: /at 6, \d+% at 7$/ }).waitFor();
    await saveScreenshot(view.page, "teach");
    await view.page.keyboard.press("Control+z");
    await view.page.getByRole("heading", { name: "6 of 8 labelled" }).waitFor();
    await expect.poll(() => view.textOf("learn-status")).toContain("of 6 held-out");
    await view.at("undo-profile").click();
    await expect.poll(profileOf).toBeNull();
    expect(await view.page.evaluate("document.activeElement.id")).toBe("profile");
  });

  it("labels nothing by number keys that are switched off, also after a reload", async () => {
    view = await openView("/teach", "demo");
    await add(EXAMPLES.map(([text]) => text).join("\n"));
    await view.page.getByRole("heading", { name: "0 of 8 labelled" }).waitFor();
    await view.at("number-keys").uncheck();
    await view.page.reload();
    await view.page.getByRole("heading", { name: "0 of 8 labelled" }).waitFor();
    await view.page.locator("h1").click();
    await view.page.keyboard.press("1");
    await view.at("number-keys").check();
    await view.page.locator("h1").click();
    await view.page.keyboard.press("2");
    await view.page.getByRole("heading", { name: "1 of 8 labelled" }).waitFor();
    await view.at("undo").click();
    await view.page.getByRole("heading", { name: "0 of 8 labelled" }).waitFor();
  });

  it("takes labels from a pasted table, and changes and removes them", async () => {
    view = await openView("/teach", "demo");
    await add(EXAMPLES.map(([text, label]) => `${text}\t${label}`).join("\n"));
    await view.page.getByRole("heading", { name: "8 of 8 labelled" }).waitFor();
    await expect.poll(() => view.textOf("learn-status")).toContain("of 8 held-out");
    await view.page.getByLabel("Your label of “A boat on the pond”").selectOption("none");
    await view.page.getByRole("heading", { name: "7 of 8 labelled" }).waitFor();
    await view.button("Remove “A boat on the pond”").click();
    await view.page.getByRole("heading", { name: "7 of 7 labelled" }).waitFor();
    await add(Array.from({ length: 200 }, (_, place) => `Sentence ${place}`).join("\n"));
    expect(await view.textOf("add-form")).toContain("207 sentences are too many: the limit is 200.");
  });

  it("asks before it replaces a profile, writes nothing over what somebody else wrote, and restores the first", async () => {
    view = await openView("/teach", "demo");
    await rename("not an id");
    await rename("demo-015");
    await add(
      EXAMPLES.slice(0, 6)
        .map(([text, label]) => `${text}\t${label}`)
        .join("\n"),
    );
    await view.page.getByRole("alert").getByText("There is a profile demo-015 already.").waitFor();
    expect(await profileOf()).toMatchObject({ generation: 1 });
    await view.at("learn").click();
    await expect.poll(() => view.textOf("learn-status")).toContain("of 6 held-out");
    const { masks } = await (await worker.get("/v1/profiles/demo/demo-000")).json<{ masks: string }>();
    await worker.request("PUT", "/v1/profiles/demo/demo-015", { body: { masks } });
    await add(`${EXAMPLES[6][0]}\t${EXAMPLES[6][1]}`);
    await view.page.getByRole("alert").getByText("Somebody else wrote it meanwhile.").waitFor();
    const { generation = 0 } = (await profileOf()) ?? {};
    // The other version needs the user's consent too.
    await view.at("learn").click();
    await view.page.getByRole("alert").getByText("There is a profile demo-015 already.").waitFor();
    expect(await profileOf()).toMatchObject({ generation });
    await view.at("learn").click();
    await expect.poll(() => view.textOf("learn-status")).toContain("of 7 held-out");
    expect(await profileOf()).toMatchObject({ generation: generation + 1 });
    await view.button(`Restore generation ${generation}`).click();
    await expect.poll(async () => ((await profileOf()) as { masks?: string } | null)?.masks).toBe(masks);
  });

  it("goes on in other views and after a reload, and a renamed profile takes no result of the earlier one", async () => {
    view = await openView("/teach", "demo");
    await add(EXAMPLES.map(([text, label]) => `${text}\t${label}`).join("\n"));
    await view.page.getByRole("link", { name: "Profiles" }).click();
    await view.page.getByRole("heading", { name: /^\d+ profiles$/ }).waitFor();
    await view.page.getByRole("link", { name: "Teach" }).click();
    await expect.poll(() => view.textOf("learn-status")).toContain("of 8 held-out");
    const first = await view.at("profile").inputValue();
    await view.page.reload();
    await view.page.getByRole("heading", { name: "8 of 8 labelled" }).waitFor();
    expect(await view.at("profile").inputValue()).toBe(first);
    await rename("demo-003");
    await view.page.getByRole("alert").getByText("There is a profile demo-003 already.").waitFor();
    expect(await view.at("undo-profile").count()).toBe(0);
    expect(await profileOf()).toMatchObject({ generation: 1 });
  });

  it("finds the profiles that label alike, and says which scope a key lacks", async () => {
    const key = await worker.makeKey({ scopes: ["predict", "list"] });
    view = await openView("/teach", "demo", { key });
    await add(EXAMPLES.map(([text, label]) => `${text}\t${label}`).join("\n"));
    await view.page.getByRole("alert").getByText('needs a key with the scope "learn"').waitFor();
    await view.at("find-closest").click();
    await expect.poll(() => view.at("closest").locator("li").count()).toBe(5);
    const counts = (await view.at("closest").locator("li").allInnerTexts()).map((text) =>
      Number(/for (\d) of 8$/.exec(text)?.[1]),
    );
    expect(counts).toEqual(counts.toSorted((a, b) => b - a));
    expect(counts[0]).toBeGreaterThan(0);
  });

  it("offers every label of a task with many, the likely ones first", async () => {
    const labels = Array.from({ length: 30 }, (_, place) => `label ${place}`);
    view = await openView("/teach", "many-labels");
    await add("A boat on the pond");
    const answer = () => view.textOf(view.at("sentences").locator("tbody td").nth(1));
    await expect.poll(answer).toMatch(/^label \d+$/);
    const first = () => view.textOf(view.page.locator(".label-next fieldset button").first());
    await expect.poll(first).toContain(await answer());
    await view.page.getByLabel("Another label").selectOption(labels[29] ?? "");
    await expect.poll(() => view.page.getByLabel("Your label of").inputValue()).toBe(labels[29]);
  });
}
