import { afterEach, beforeEach, expect, it } from "vitest";
import type { OpenPage } from "../support/browser.ts";
import { actionsOn, openPlayground, worker } from "./pages.ts";

export function testOnDevice(): void {
  let opened: OpenPage;
  let { at, fill, press, textOf, recordTexts } = {} as ReturnType<typeof actionsOn>;
  /** Paths that were requested from the service. */
  let paths: string[];

  beforeEach(async () => {
    opened = await openPlayground("/");
    ({ at, fill, press, textOf, recordTexts } = actionsOn(opened.page));
    paths = [];
    opened.page.context().on("request", (request) => paths.push(new URL(request.url()).pathname));
    await fill("profiles", "demo-000\ndemo-001");
  });
  afterEach(async () => {
    expect(opened.browserErrors).toEqual([]);
    await opened.page.context().close();
  });

  const answers = () => at("answers").locator("table").allInnerTexts();
  const captions = () => at("answers").locator("small").allInnerTexts();

  /** Compares a text, and returns what is shown. */
  async function compare(text: string): Promise<string[]> {
    await fill("text", text);
    await press("compare");
    await expect.poll(() => textOf("status")).toMatch(/^(All 2 profiles answer|They differ)/);
    return await answers();
  }

  it("gives the service's answers, without sending the text, and with no connection", async () => {
    await fill("key", worker.adminKey);
    const texts = ["A boat on the pond", "The gearbox is loud"];
    const served = [];
    for (const text of texts) served.push(await compare(text));
    paths = [];
    const textsOf = await recordTexts(["on-device-status"]);
    await at("on-device").check();
    expect(await compare(texts[0] ?? "")).toEqual(served[0]);
    expect(await textsOf("on-device-status")).toContainEqual(
      expect.stringMatching(/^Loading the model: \d+% of 24 MB/),
    );
    expect(await textOf("on-device-status")).toBe("");
    expect(paths).toContain("/v1/bundle");
    expect(paths).not.toContain("/v1/predict");

    await opened.page.context().setOffline(true);
    expect(await compare(texts[1] ?? "")).toEqual(served[1]);
  });

  it("labels by the newest profiles, and says if a text was truncated", async () => {
    await fill("key", worker.adminKey);
    await at("on-device").check();
    await compare("A boat on the pond");
    const path = "/v1/profiles/demo/demo-001";
    const { masks } = (await (await worker.get("/v1/profiles/demo/demo-000")).json()) as { masks: string };
    await worker.request("PUT", path, { body: { masks } });
    const shown = await compare("A boat ".repeat(100));
    const [first = "", second] = shown.map((table) => table.replace(/demo-00\d/, ""));
    expect(second).toBe(first);
    await fill("profiles", "demo-001\nnew-here");
    await fill("text", "A boat on the pond");
    await press("compare");
    await expect.poll(() => textOf("answers")).toContain('"new-here"');
    await worker.request("PUT", "/v1/profiles/demo/new-here", { body: { masks } });
    expect(await compare("A boat ".repeat(100))).toHaveLength(2);
    await worker.request("DELETE", "/v1/profiles/demo/new-here");
    expect(await captions()).toContain("The text is longer than the task reads: 32 tokens were read.");
  });

  it("says which scope the key lacks, and starts anew with another key", async () => {
    await fill("key", await worker.makeKey({ scopes: ["predict"] }));
    await at("on-device").check();
    await fill("text", "A boat on the pond");
    await press("compare");
    await expect.poll(() => textOf("trouble")).toContain('needs a key with the scope "write"');
    await fill("key", worker.adminKey);
    expect(await compare("A boat on the pond")).toHaveLength(2);
  });

  it("never sends the text if its engine does not start", async () => {
    await opened.page.route("**/local.js", (route) => route.fulfill({ status: 404 }));
    await at("on-device").check();
    await fill("text", "A boat on the pond");
    await press("compare");
    await expect.poll(() => textOf("trouble")).toContain("The engine of this page does not start.");
    expect(await at("on-device").isChecked()).toBe(true);
    expect(paths).not.toContain("/v1/predict");
  });
}
