import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readBundle } from "../../node/files.ts";
import { type Browser, chromium, type Page, startBrowser } from "../support/browser.ts";
import { lessonsOf } from "../support/lessons.ts";
import { profilesOf, SHAPE, taskFor } from "../support/rows.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";

let worker: RunningWorker;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  if (!chromium) return;
  // Rows are cached as in the deploy: a page that did not ask past the cache would show the old answers.
  [worker, browser] = await Promise.all([startWorker(), startBrowser()]);
  await worker.push(taskFor(await readBundle("bundles/minilm-l6-v2")), profilesOf(3));
});
afterAll(async () => {
  await browser?.close();
  await worker?.close();
});

beforeEach(async () => {
  if (!chromium) return;
  page = await browser.open(new URL("/learn", worker.url).href);
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

/** Puts lines into the first sentence's field as one paste. */
async function paste(lines: readonly string[]): Promise<void> {
  await page.value(`{
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", ${JSON.stringify(lines.join("\n"))});
    const field = at("rows").querySelector("input");
    field.focus();
    field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }`);
}

const withLabels = (examples: readonly { text: string; label: string }[]) =>
  paste(examples.map(({ text, label }) => `${text}\t${label}`));

/** Presses a button by its key. */
async function press(id: string): Promise<void> {
  await page.value(`at(${JSON.stringify(id)}).focus()`);
  await page.press("Enter");
}

const rowOf = async (profile: string) => {
  const response = await worker.get(`/v1/profiles/demo/${profile}`);
  return (await response.json()) as { generation: number; masks: string; code?: string };
};

/** Scores that the page shows, by the captions' first word. */
const shownBy = (when: string) =>
  page.value<string[]>(
    `[...at("answers").querySelectorAll("table")].filter((one) => one.caption.innerText.startsWith("${when}")).map((one) => one.tBodies[0].innerText)`,
  );

describe.skipIf(!chromium)("the page that teaches a profile (needs a Chromium)", () => {
  it("takes sentences and labels by keyboard, line by line or many at once", async () => {
    await page.value(`at("rows").querySelector("input").focus()`);
    await page.type("A river");
    await page.press("Tab");
    await page.press("m");
    expect(await page.value("examples()")).toEqual([{ text: "A river", label: "middle" }]);
    await page.value(`at("rows").querySelector("input").focus()`);
    await page.press("Enter");
    await page.type("A pump");
    expect(await page.value("document.activeElement.ariaLabel")).toBe("Sentence 2");
    expect(await page.value("hangUp")).toBeNull();
    await page.press("Tab");
    await page.press("Tab");
    await page.press("Enter");
    expect(await page.value("rows().length")).toBe(9);

    await paste(["", "", " of mud", "A lake\tlow", "A drill"]);
    expect(await page.value("examples()")).toEqual([
      { text: "A river of mud", label: "middle" },
      { text: "A lake", label: "low" },
      { text: "A drill", label: "middle" },
    ]);
    await paste(lessonsOf(20).map(({ text }) => text));
    expect(await page.value("[rows().length, examples().length]")).toEqual([28, 22]);
  });

  it("says which key it takes, where there is none or one that may not learn", async () => {
    await withLabels(lessonsOf(4));
    await fill("profile", "me");
    await press("learn");
    expect(await page.until(`at("trouble").innerText`)).toContain('needs a key with the scope "learn"');
    expect(await textOf("trouble")).toContain("keys create --scope predict learn write");
    await fill("key", await worker.makeKey({ scopes: ["predict", "write"] }));
    await press("learn");
    expect(await page.until(`at("trouble").innerText`)).toContain("--scope learn");
  });

  it("shows what is wrong with the examples, and what can be done", async () => {
    await withLabels(lessonsOf(4, ["low", "low"]));
    await fill("key", worker.adminKey);
    await fill("profile", "me");
    await press("learn");
    const said = await page.until<string>(`at("trouble").innerText`);
    const body = { examples: lessonsOf(4, ["low", "low"]) };
    const refused = await worker.ask("POST", "/v1/profiles/demo/me/learn", { body });
    const { detail, hint } = (await refused.json()) as { detail: string; hint: string };
    expect(said).toBe(`${detail} ${hint}`);
    expect(await page.value("document.activeElement.id")).toBe("learn");
  });

  it("learns a profile anew, shows what changed, and brings the earlier one back", async () => {
    const before = await rowOf("demo-000");
    await fill("key", worker.adminKey);
    await fill("profile", "demo-000");
    await fill("texts", "A boat on the pond\nThe gearbox is loud");
    await withLabels(lessonsOf(10));
    await press("learn");
    const going = `!at("going").hidden && at("bar").value > 0 && at("bar").ariaValueText`;
    expect(await page.until(going)).toMatch(/^\d+%, (choosing|learning)/);
    expect(await page.until(`at("loss").innerText !== "–" && at("pass").innerText`)).toMatch(/^\d+ of \d+$/);
    await page.until(`at("accuracy").innerText !== "–" && at("seconds").innerText`);
    await page.until(`at("answers").querySelectorAll("table").length === 4 && at("masks").querySelector("table")`);

    const learnt = await rowOf("demo-000");
    expect(learnt.generation).toBe(before.generation + 1);
    expect(await textOf("result-title")).toBe(`Profile demo-000 of demo, learnt anew: generation ${learnt.generation}`);
    expect(await page.value("document.activeElement.id")).toBe("result-title");
    const facts = await textOf("facts");
    expect(facts).toMatch(/Left-out accuracy, start\s+\d+% of 10/);
    expect(facts).toMatch(/Left-out accuracy, learnt\s+\d+% of 10/);
    expect(facts).toContain("159 (masks 156, label bias 3)");
    expect(await textOf("trust")).toMatch(/gain/);

    const rows = 2 * SHAPE.layers;
    expect(await page.value(`at("masks").querySelectorAll("svg").length`)).toBe(rows);
    expect(await page.value(`at("masks").querySelectorAll("path").length`)).toBe(rows * SHAPE.size);
    const drawn = await page.value<number[]>(
      `["kept", "added", "dropped"].map((kind) => at("masks").querySelectorAll("." + kind).length)`,
    );
    const [kept = 0, added = 0, dropped = 0] = drawn;
    expect(added).toBe(dropped);
    expect(kept + added).toBe(rows * SHAPE.chosen);
    expect(await textOf("changes")).toContain(`${added} of ${rows * SHAPE.chosen} chosen adapters`);

    const [was, is] = [await shownBy("Before"), await shownBy("Now")];
    expect(is).not.toEqual(was);
    // This text was not asked before the learning.
    await fill("texts", "Rain on the roof of the mill");
    await press("ask");
    await page.until(
      `at("answers").innerText.includes("mill") && at("answers").querySelectorAll("table").length === 2`,
    );
    const [wasOther, isOther] = [await shownBy("Before"), await shownBy("Now")];
    expect(isOther).not.toEqual(wasOther);

    await press("undo");
    expect(await page.until(`at("status").innerText.startsWith("Undone") && at("status").innerText`)).toContain(
      `generation ${learnt.generation + 1} is generation ${before.generation} again`,
    );
    expect(await rowOf("demo-000")).toMatchObject({ masks: before.masks, generation: learnt.generation + 1 });
    await page.until(`at("asked").innerText.startsWith("0 of 1")`);
    expect(await shownBy("Now")).toEqual(wasOther);
  });

  it("makes a new profile, and deletes it again", async () => {
    await fill("key", worker.adminKey);
    await fill("profile", "new-one");
    await fill("texts", "The oar is wet");
    await withLabels(lessonsOf(6));
    await press("learn");
    await page.until(`at("answers").querySelectorAll("table").length === 2`);
    expect(await textOf("answers")).toContain("Before (the task's default)");
    expect(await textOf("answers")).toContain("Now (generation 1)");
    await press("undo");
    await page.until(`at("answers").innerText.includes("Now (the task's default)")`);
    expect(await shownBy("Now")).toEqual(await shownBy("Before"));
    expect(await rowOf("new-one")).toMatchObject({ code: "unknown_profile" });
  });

  it("learns by a key that may do nothing else, and says what it lacks to compare and to undo", async () => {
    await fill("key", await worker.makeKey({ scopes: ["predict", "learn"] }));
    await fill("profile", "demo-002");
    await fill("texts", "The oar is wet");
    await withLabels(lessonsOf(4));
    await press("learn");
    await page.until(`at("answers").querySelectorAll("table").length === 2 && at("masks").querySelector("table")`);
    expect(await textOf("changes")).toBe(
      "Compared with nothing, as the key may not read what was before: drawn as they are now.",
    );
    expect(await page.value(`at("masks").querySelectorAll(".kept").length`)).toBe(2 * SHAPE.layers * SHAPE.chosen);
    expect(await shownBy("Before")).toHaveLength(1);
    await press("undo");
    expect(await page.until(`at("trouble").innerText`)).toContain('needs a key with the scope "write"');
    await fill("key", worker.adminKey);
    await press("undo");
    await page.until(`at("status").innerText.startsWith("Undone") && at("asked").innerText.startsWith("0 of 1")`);
    expect(await shownBy("Now")).toEqual(await shownBy("Before"));
  });

  it("stops when it is told to, and leaves the profile as it is", async () => {
    const before = await rowOf("demo-001");
    await fill("key", worker.adminKey);
    await fill("profile", "demo-001");
    await withLabels(lessonsOf(40));
    await press("learn");
    await page.until(`at("bar").value > 0`);
    expect(await page.value("document.activeElement.id")).toBe("stop");
    await page.press("Enter");
    expect(await page.until(`at("status").innerText.startsWith("Stopped") && at("status").innerText`)).toContain(
      `at generation ${before.generation}, as before`,
    );
    expect(await page.value("document.activeElement.id")).toBe("learn");
    // Who is let in next knows that it was given up.
    await expect
      .poll(async () => {
        const body = { examples: lessonsOf(2), start: "own", epochs: 1, dryRun: true };
        return (await worker.ask("POST", "/v1/profiles/demo/demo-001/learn", { body })).status;
      })
      .toBe(200);
    expect(await rowOf("demo-001")).toEqual(before);
  });
});
