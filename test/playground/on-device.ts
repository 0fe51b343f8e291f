import { afterEach, beforeEach, expect, it } from "vitest";
import type { OpenPage } from "../support/browser.ts";
import { actionsOn, openPlayground, worker } from "./pages.ts";

export function testOnDevice(): void {
  let opened: OpenPage;
  let { at, fill, press, textOf } = {} as ReturnType<typeof actionsOn>;
  /** Paths that were requested from the service. */
  let paths: string[];

  beforeEach(async () => {
    opened = await openPlayground("/");
    ({ at, fill, press, textOf } = actionsOn(opened.page));
    paths = [];
    opened.page.context().on("request", (request) => paths.push(new URL(request.url()).pathname));
    await fill("profiles", "demo-000\ndemo-001");
  });
  afterEach(async () => {
    await opened.page.context().close();
  });

  const answers = () => at("answers").locator("table").allInnerTexts();

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
    paths.length = 0;
    await at("on-device").check();
    await fill("text", texts[0] ?? "");
    await press("compare");
    await expect.poll(() => textOf("status")).toMatch(/^Loading the model: \d+% of 24 MB\.$/);
    await expect.poll(answers).toEqual(served[0]);
    expect(paths).toContain("/v1/profiles/demo/demo-000");
    expect(paths).not.toContain("/v1/predict");

    await opened.page.context().setOffline(true);
    expect(await compare(texts[1] ?? "")).toEqual((served[1] ?? []).map((table) => table.replace(/\d+ bytes, .*/, "")));
  });

  it("says which scope the key lacks", async () => {
    await fill("key", await worker.makeKey({ scopes: ["predict"] }));
    await at("on-device").check();
    await fill("text", "A boat on the pond");
    await press("compare");
    await expect.poll(() => textOf("trouble")).toContain('needs a key with the scope "write"');
  });
}
