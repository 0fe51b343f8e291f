import { afterEach, beforeEach, expect, it } from "vitest";
import type { OpenPage } from "../support/browser.ts";
import { examplesOf } from "../support/examples.ts";
import { DEFAULT_SHAPE } from "../support/rows.ts";
import { actionsOn, openPlayground, worker } from "./pages.ts";

interface Example {
  readonly text: string;
  readonly label: string;
}

const rowOf = async (profile: string) => {
  const response = await worker.get(`/v1/profiles/demo/${profile}`);
  return (await response.json()) as { generation: number; masks: string; code?: string };
};

export function testLearnPage(): void {
  let opened: OpenPage;
  let { at, fill, press, textOf, focused, recordTexts } = {} as ReturnType<typeof actionsOn>;

  beforeEach(async () => {
    opened = await openPlayground("/learn");
    ({ at, fill, press, textOf, focused, recordTexts } = actionsOn(opened.page));
  });
  afterEach(async () => {
    expect(opened.browserErrors).toEqual([]);
    await opened.page.context().close();
  });

  const firstSentence = () => at("rows").locator("input").first();
  const rowCount = () => at("rows").locator("li").count();

  /** Pastes lines into the first sentence's field. */
  async function paste(lines: readonly string[]): Promise<void> {
    await opened.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await opened.page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(lines.join("\n"))})`);
    await firstSentence().press("Control+V");
  }

  /** Returns the sentences entered, with their chosen labels. */
  const shownExamples = () =>
    opened.page.evaluate<Example[]>(
      `[...document.querySelectorAll("#rows li")]
        .map((row) => ({ text: row.querySelector("input").value, label: row.querySelector("select").value }))
        .filter(({ text }) => text !== "")`,
    );

  async function pasteExamples(examples: readonly Example[]): Promise<void> {
    await paste(examples.map(({ text, label }) => `${text}\t${label}`));
    await expect.poll(shownExamples).toEqual(examples);
  }

  /** Returns the displayed scores of tables whose caption starts with a word. */
  const shownScores = (captionStart: string) =>
    at("answers")
      .locator("table", { has: opened.page.locator("caption", { hasText: new RegExp(`^${captionStart}`) }) })
      .locator("tbody")
      .allInnerTexts();

  const answerCount = () => at("answers").locator("table").count();

  it("accepts sentences and labels by keyboard, one by one or pasted", async () => {
    const { keyboard } = opened.page;
    await firstSentence().focus();
    await keyboard.type("A river");
    await keyboard.press("Tab");
    await keyboard.press("m");
    expect(await shownExamples()).toEqual([{ text: "A river", label: "middle" }]);
    await firstSentence().press("Enter");
    await keyboard.type("A pump");
    expect(await opened.page.locator(":focus").getAttribute("aria-label")).toBe("Sentence 2");
    expect(await at("progress").isHidden()).toBe(true);
    expect(await at("stop").isDisabled()).toBe(true);
    await keyboard.press("Tab");
    await keyboard.press("Tab");
    await keyboard.press("Enter");
    expect(await rowCount()).toBe(9);

    await firstSentence().press("End");
    await paste(["", "", " of mud", "A lake\tlow", "A drill"]);
    await expect.poll(shownExamples).toEqual([
      { text: "A river of mud", label: "middle" },
      { text: "A lake", label: "low" },
      { text: "A drill", label: "middle" },
    ]);
    await paste(examplesOf(20).map(({ text }) => text));
    await expect.poll(rowCount).toBe(28);
    expect(await shownExamples()).toHaveLength(22);
  });

  it("says which key it needs, without a key or with one that may not learn", async () => {
    await pasteExamples(examplesOf(4));
    await fill("profile", "me");
    await press("learn");
    await expect.poll(() => textOf("trouble")).toContain('needs a key with the scope "learn"');
    expect(await textOf("trouble")).toContain("keys create --scope predict learn write");
    await fill("key", await worker.makeKey({ scopes: ["predict", "write"] }));
    await press("learn");
    await expect.poll(() => textOf("trouble")).toContain("--scope learn");
  });

  it("shows the error of invalid examples, with a hint", async () => {
    const examples = examplesOf(4, ["low", "low"]);
    await pasteExamples(examples);
    await fill("key", worker.adminKey);
    await fill("profile", "me");
    await press("learn");
    const rejected = await worker.request("POST", "/v1/profiles/demo/me/learn", { body: { examples } });
    const { detail, hint } = (await rejected.json()) as { detail: string; hint: string };
    await expect.poll(() => textOf("trouble")).toBe(`${detail} ${hint}`);
    await focused("learn");
  });

  it("learns an existing profile, shows what changed, and undoes it", async () => {
    const before = await rowOf("demo-005");
    await fill("key", worker.adminKey);
    await fill("profile", "demo-005");
    await fill("texts", "A boat on the pond\nThe gearbox is loud");
    await pasteExamples(examplesOf(6));
    await at("force").check();
    const progress = {
      "progress-bar": /^[1-9]\d*%, (choosing|comparing)/,
      loss: /^\d\.\d{3}$/,
      pass: /^\d+ of \d+$/,
      accuracy: /^\d+%$/,
      "seconds-left": /^\d+/,
    };
    const textsOf = await recordTexts(Object.keys(progress));
    await press("learn");
    await at("progress").waitFor();
    await expect.poll(answerCount).toBe(4);
    for (const [id, pattern] of Object.entries(progress))
      expect(await textsOf(id)).toContainEqual(expect.stringMatching(pattern));
    await at("masks").locator("table").waitFor();

    const learnt = await rowOf("demo-005");
    expect(learnt.generation).toBe(before.generation + 1);
    expect(await textOf("result-title")).toBe(`Profile demo-005 of demo, updated: generation ${learnt.generation}`);
    await focused("result-title");
    const facts = await textOf("facts");
    expect(facts).toMatch(/Held-out accuracy, start\s+\d+% of 6/);
    expect(facts).toMatch(/Held-out accuracy, learnt\s+\d+% of 6/);
    // A label bias of three labels, and a head change of two ranks.
    expect(facts).toContain("849 (masks 64, label bias 785)");
    expect(await textOf("trust")).toMatch(/gain/);

    const rows = 2 * DEFAULT_SHAPE.layers;
    expect(await at("masks").locator("svg").count()).toBe(rows);
    expect(await at("masks").locator("path").count()).toBe(rows * DEFAULT_SHAPE.size);
    const [kept, added, dropped] = await Promise.all(
      ["kept", "added", "dropped"].map((kind) => at("masks").locator(`.${kind}`).count()),
    );
    expect(added).toBe(dropped);
    expect((kept ?? 0) + (added ?? 0)).toBe(rows * DEFAULT_SHAPE.chosen);
    expect(await textOf("changes")).toContain(`${added} of ${rows * DEFAULT_SHAPE.chosen} chosen adapters`);
    expect(await shownScores("Now")).not.toEqual(await shownScores("Before"));

    // This text had no prediction before learning.
    await fill("texts", "Rain on the roof of the mill");
    await press("predict");
    await expect.poll(answerCount).toBe(2);
    expect(await textOf("answers")).toContain("mill");
    const scoresBefore = await shownScores("Before");
    expect(await shownScores("Now")).not.toEqual(scoresBefore);

    await press("undo");
    await expect
      .poll(() => textOf("status"))
      .toMatch(new RegExp(`^Undone.*generation ${learnt.generation + 1} restores generation ${before.generation}\\.`));
    expect(await rowOf("demo-005")).toMatchObject({ masks: before.masks, generation: learnt.generation + 1 });
    await expect.poll(() => textOf("predict-status")).toMatch(/^0 of 1/);
    expect(await shownScores("Now")).toEqual(scoresBefore);
  });

  it("leaves an existing profile as it is if nothing was gained, unless the user wants it replaced", async () => {
    const before = await rowOf("demo-004");
    await fill("key", worker.adminKey);
    await fill("profile", "demo-004");
    // The task's default masks label them right, so there is nothing to learn.
    await pasteExamples(examplesOf(2, ["low", "middle"]));
    await press("learn");
    await expect.poll(() => textOf("status")).toMatch(/^Learnt in [\d.]+ s\. Nothing was written: there is no gain\.$/);
    expect(await textOf("result-title")).toBe("Profile demo-004 of demo, unchanged");
    expect(await textOf("trust")).toMatch(/^There is no gain on the 2 held-out examples\. The profile stays as it is/);
    expect(await at("undo").isHidden()).toBe(true);
    await at("masks").locator("table").waitFor();
    expect(await rowOf("demo-004")).toEqual(before);

    await at("force").check();
    await press("learn");
    await expect
      .poll(() => textOf("result-title"))
      .toBe(`Profile demo-004 of demo, updated: generation ${before.generation + 1}`);
    expect(await textOf("trust")).toMatch(/^There is no gain .* add examples\.$/);
    expect(await at("undo").isHidden()).toBe(false);
  });

  it("creates a profile, and deletes it on undo", async () => {
    await fill("key", worker.adminKey);
    await fill("profile", "new-one");
    await fill("texts", "The oar is wet");
    await pasteExamples(examplesOf(2));
    await press("learn");
    await expect.poll(answerCount).toBe(2);
    expect(await textOf("answers")).toContain("Before (the task's default)");
    expect(await textOf("answers")).toContain("Now (generation 1)");
    await press("undo");
    await expect.poll(() => textOf("answers")).toContain("Now (the task's default)");
    expect(await shownScores("Now")).toEqual(await shownScores("Before"));
    expect(await rowOf("new-one")).toMatchObject({ code: "unknown_profile" });
  });

  it("learns from a default without masks, and says that there were none", async () => {
    await at("task").selectOption("plain");
    await fill("key", worker.adminKey);
    await fill("profile", "new-one");
    await pasteExamples(examplesOf(2));
    await press("learn");
    await expect.poll(() => textOf("result-title")).toBe("Profile new-one of plain, created: generation 1");
    expect(await textOf("facts")).toMatch(/Start\s+the task's default\s+Held-out/);
    const { masks } = (await (await worker.get("/v1/profiles/plain/new-one")).json()) as { masks: string };
    await expect
      .poll(() => textOf("changes"))
      .toBe(
        masks === ""
          ? "The profile has no masks."
          : "No masks in the start, the task's default. All 256 chosen adapters are new.",
      );
    expect(await at("masks").locator("table").count()).toBe(masks === "" ? 0 : 1);
  });

  it("learns with a key that may only learn, and says which scope comparing and undoing need", async () => {
    await fill("key", await worker.makeKey({ scopes: ["predict", "learn"] }));
    await fill("profile", "demo-006");
    await fill("texts", "The oar is wet");
    await pasteExamples(examplesOf(2));
    await at("force").check();
    await press("learn");
    await expect.poll(answerCount).toBe(2);
    await at("masks").locator("table").waitFor();
    expect(await textOf("changes")).toBe("The key cannot read the earlier masks, so there is nothing to compare with.");
    expect(await at("masks").locator(".kept").count()).toBe(2 * DEFAULT_SHAPE.layers * DEFAULT_SHAPE.chosen);
    expect(await shownScores("Before")).toHaveLength(1);
    await press("undo");
    await expect.poll(() => textOf("trouble")).toContain('needs a key with the scope "write"');
    await fill("key", worker.adminKey);
    await press("undo");
    await expect.poll(() => textOf("status")).toMatch(/^Undone/);
    await expect.poll(() => textOf("predict-status")).toMatch(/^0 of 1/);
    expect(await shownScores("Now")).toEqual(await shownScores("Before"));
  });

  it("cancels learning on request, and leaves the profile unchanged", async () => {
    const before = await rowOf("demo-007");
    await fill("key", worker.adminKey);
    await fill("profile", "demo-007");
    await pasteExamples(examplesOf(40));
    await press("learn");
    await expect.poll(() => at("progress-bar").getAttribute("aria-valuetext")).toMatch(/^[1-9]/);
    await focused("stop");
    await opened.page.keyboard.press("Enter");
    await expect
      .poll(() => textOf("status"))
      .toMatch(new RegExp(`^Stopped.*still at generation ${before.generation}\\.`));
    await focused("learn");
    // The Worker accepts the next learning run only after this one has stopped.
    await expect
      .poll(async () => {
        const body = { examples: examplesOf(2), start: "own", epochs: 1, dryRun: true };
        return (await worker.request("POST", "/v1/profiles/demo/demo-007/learn", { body })).status;
      })
      .toBe(200);
    expect(await rowOf("demo-007")).toEqual(before);
  });
}
