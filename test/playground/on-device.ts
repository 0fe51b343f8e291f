import { afterEach, expect, it } from "vitest";
import { openView, type View, worker } from "./pages.ts";

const TEXTS = ["A boat on the pond", "The gearbox is loud"] as const;

export function testOnDevice(): void {
  let view: View;
  /** Paths that were requested from the service. */
  let paths: string[];
  afterEach(() => view.close());

  async function open(key = worker.adminKey): Promise<void> {
    view = await openView("/", "demo", { key });
    paths = [];
    view.page.context().on("request", (request) => paths.push(new URL(request.url()).pathname));
    await view.at("text").waitFor();
    await view.page.evaluate(`document.querySelector("#choose").open = true`);
    await choose("demo-000\ndemo-001");
    await view.at("device").locator("summary").click();
  }
  async function choose(ids: string): Promise<void> {
    await view.at("profiles").fill(ids);
    await view.at("profiles").blur();
  }
  const answers = () => view.at("answers").locator(".card-label, .stacked + small").allInnerTexts();
  const expectAnswers = (text: string, expected: readonly string[] | undefined) =>
    view
      .at("text")
      .fill(text)
      .then(() => expect.poll(answers).toEqual(expected));

  /** Returns what the service's answers look like on the page. */
  async function served(text: string): Promise<string[]> {
    const previous = await answers();
    await view.at("text").fill(text);
    await expect.poll(answers).not.toEqual(previous);
    return await answers();
  }

  it("gives the service's answers, without sending the text, and with no connection", async () => {
    await open();
    await expect.poll(async () => (await answers()).length).toBe(0);
    const first = await served(TEXTS[0]);
    expect(first).toHaveLength(4);
    paths = [];
    const second = await served(TEXTS[1]);
    await expect.poll(() => paths).toContain("/v1/fanout");
    paths = [];
    await view.at("on-device").check();
    await expectAnswers(TEXTS[0], first);
    expect(paths).toContain("/v1/bundle");
    expect(paths).not.toContain("/v1/predict");
    expect(paths).not.toContain("/v1/fanout");
    expect(await view.textOf("on-device-status")).toBe("");

    await view.page.getByRole("link", { name: "Profiles" }).click();
    await view.page.getByRole("img", { name: "A map of" }).waitFor();
    expect(paths).not.toContain("/v1/fanout");
    await view.page.getByRole("link", { name: "Compare" }).click();

    await view.page.context().setOffline(true);
    await expectAnswers(TEXTS[1], second);
  });

  it("labels by the newest profiles", async () => {
    await open();
    await view.at("on-device").check();
    await served(TEXTS[0]);
    const { masks } = (await (await worker.get("/v1/profiles/demo/demo-000")).json()) as { masks: string };
    await worker.request("PUT", "/v1/profiles/demo/demo-001", { body: { masks } });
    // Both profiles have the same masks now.
    await served(TEXTS[1]);
    await expect.poll(async () => (await answers()).slice(2)).toEqual((await answers()).slice(0, 2));
    await choose("demo-001\nnew-here");
    await expect.poll(() => view.textOf("answers")).toContain('"new-here"');
    await worker.request("PUT", "/v1/profiles/demo/new-here", { body: { masks } });
    await served(TEXTS[0]);
    await expect.poll(async () => (await answers()).length).toBe(4);
    await worker.request("DELETE", "/v1/profiles/demo/new-here");
  });

  it("says which scope the key lacks", async () => {
    await open(await worker.makeKey({ scopes: ["predict"] }));
    await view.at("on-device").check();
    await view.at("text").fill(TEXTS[0]);
    await view.page.getByRole("alert").getByText('needs a key with the scope "write"').waitFor();
  });

  it("never sends the text if its engine does not start", async () => {
    await open();
    await view.page.route("**/local.js", (route) => route.fulfill({ status: 404 }));
    await view.at("on-device").check();
    await view.at("text").fill(TEXTS[0]);
    await view.page.getByRole("alert").getByText("The engine of this page does not start.").waitFor();
    expect(await view.at("on-device").isChecked()).toBe(true);
    expect(paths).not.toContain("/v1/predict");
  });
}
