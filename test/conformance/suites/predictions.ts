import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { NewProfile } from "../../../src/profiles/profile.ts";
import type { NewTask } from "../../../src/profiles/task.ts";
import golden from "../../fixtures/golden.json" with { type: "json" };
import { isLongForm } from "../../support/long-form.ts";
import { databaseIn, startServe } from "../../support/server.ts";
import { makeTempFolder, removeTempFolder } from "../../support/temp-folders.ts";
import type { Servers } from "../conformance.ts";
import { platformOf } from "../exceptions.ts";
import { ask, type Json, lineOf, NDJSON } from "../http.ts";
import type { RuntimeName } from "../runtime.ts";
import { startRuntime } from "../start.ts";

const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, "base64"));

const { labels, maxTokens, head, masks, labelBiases } = golden.task;

const TASK: NewTask = {
  name: "golden",
  bundle: golden.bundle,
  labels,
  maxTokens,
  head: new Float32Array(bytes(head).buffer),
  masks: bytes(masks[0] ?? ""),
  adapter: null,
};

const bias = (row: number) => (labelBiases[row] ? bytes(labelBiases[row]) : null);

/** A profile for each row of masks, and one that has a label bias alone. */
const PROFILES: NewProfile[] = [
  ...masks.map((row, index) => ({ id: `masks-${index}`, masks: bytes(row), labelBias: bias(index) })),
  { id: "bias-alone", masks: new Uint8Array(), labelBias: bias(1) },
];

/** Requests that the companion's predictions do not cover. */
const OTHERS: readonly (readonly [name: string, body: object])[] = [
  ["default profile", { profile: "nobody", onUnknownProfile: "default", inputs: golden.texts[1] }],
  ["label bias alone", { profile: "bias-alone", inputs: golden.texts[2] }],
  ["pair", { profile: "masks-1", inputs: { text: golden.texts[3], textPair: golden.texts[4] } }],
  ["truncated", { profile: "masks-1", inputs: golden.texts.join(" ") }],
  ["truncated pair", { profile: "masks-2", inputs: { text: golden.texts.join(" "), textPair: golden.texts[0] } }],
  ["other scripts", { profile: "masks-2", inputs: "Grüße aus Zürich, 東京 und Αθήνα 🎉 — naïve café" }],
];

/** More texts than are read one by one. */
const MANY = Array.from({ length: 400 }, (_, number) => {
  const at = (step: number) => golden.texts[(number * step) % golden.texts.length]?.split(" ") ?? [];
  return [...at(1).slice(number % 5), ...at(7).slice(0, number % 9), String(number)].join(" ");
});

const describePrediction = ({ label, logits }: Json): string => `${label}, ${Object.values(logits).join(" ")}`;

/** Every runtime answers with the bits of the same files. */
export function predictions(name: RuntimeName, servers: Servers): void {
  describe("predictions", () => {
    beforeAll(() => servers.main.push(TASK, PROFILES));

    const predict = async (body: object): Promise<Json> =>
      (await ask(servers.main, "POST", "/v1/predict", { body: { task: "golden", logits: true, ...body } })).json();

    it("have the bits that the engine had when they were written", async () => {
      const engines = await platformOf(name, "engines");
      const lines: string[] = [];
      for (const { text, masks: row } of golden.predictions) {
        const { predictions, engine } = await predict({ profile: `masks-${row}`, inputs: golden.texts[text] });
        expect(engines).toContain(`\`${engine}\``);
        expect(engine).toBe("kernels");
        lines.push(`text ${text}, masks ${row}: ${describePrediction(predictions[0])}\n`);
      }
      expect(lines.join("")).toBe(await readFile("test/fixtures/served-kernels.txt", "utf8"));
    });

    // `npx vitest run test/conformance/node.test.ts -u` writes the file, if a change is intended.
    it("of pairs, long texts and profiles without masks have the bits of the file", async () => {
      const lines: string[] = [];
      for (const [what, body] of OTHERS) {
        const { predictions } = await predict(body);
        lines.push(`${what}: ${describePrediction(predictions[0])}, truncated: ${predictions[0].truncated}\n`);
      }
      await expect(lines.join("")).toMatchFileSnapshot("../fixtures/conformance/predictions.txt");
    });

    it("of a batch and of a stream have the same bits", async () => {
      const inputs = golden.texts.slice(0, 6);
      const { predictions } = await predict({ profile: "masks-3", inputs });
      const path = "/v1/predict/stream?task=golden&profile=masks-3&logits=true";
      const body = inputs.map((text) => lineOf({ text })).join("");
      const streamed = (await ask(servers.main, "POST", path, { body, headers: NDJSON })).lines().slice(0, -1);
      expect(streamed.map(({ line: _, ...answer }) => answer)).toEqual(predictions);
    });

    it("are native ONNX Runtime's with --native, where the platform has it", async () => {
      if (name === "workerd") return expect(await platformOf(name, "`--native`")).toBe("no");
      expect(await platformOf(name, "`--native`")).toBe("yes");
      const folder = await makeTempFolder("xpeft-native-");
      const args = ["--port", "0", "--database", databaseIn(folder), "--demo", "--native"];
      const { url, stop } = await startServe(args, {}, name);
      onTestFinished(async () => {
        await stop();
        await removeTempFolder(folder);
      });
      const body = JSON.stringify({ task: "news", profile: "news-000", inputs: "Senate passes bill after long night" });
      const headers = { "content-type": "application/json" };
      const answer = await fetch(`${url}/v1/predict`, { method: "POST", headers, body });
      expect(await answer.json()).toMatchObject({ engine: "native", predictions: [{ label: "POLITICS" }] });
    });

    it.runIf(isLongForm)("of many texts have the bits of the file, by both engines", async () => {
      const path = "/v1/predict/stream?task=golden&profile=masks-1&logits=true";
      const body = MANY.map((text) => lineOf({ text })).join("");
      const other = await startRuntime(name, { engine: "onnxruntime" });
      try {
        await other.push(TASK, PROFILES);
        for (const [engine, runtime] of [
          ["kernels", servers.main],
          ["onnxruntime", other],
        ] as const) {
          const lines = (await ask(runtime, "POST", path, { body, headers: NDJSON })).lines().slice(0, -1);
          const text = lines.map((line) => `${describePrediction(line)}\n`).join("");
          await expect(text).toMatchFileSnapshot(`../fixtures/conformance/many-${engine}.txt`);
        }
      } finally {
        await other.close();
      }
    });
  });
}
