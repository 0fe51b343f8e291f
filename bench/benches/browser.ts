import { chromiumPath, openPage, startBrowser } from "../../test/support/browser.ts";
import type { Bench } from "../bench.ts";
import { MissingDependency } from "../programs.ts";
import { medianOf } from "../statistics.ts";
import { newText } from "../texts.ts";
import { pushDemo, withWorker } from "../with-worker.ts";
import { compareByLength } from "./by-length.ts";

const PROFILE = "demo-000";

/** Defines what the bench calls in the page: both ways of asking return milliseconds. */
const SETUP = `
const timed = async (work) => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};
window.openDevice = (key) => {
  window.device?.terminate();
  window.device = new Worker("/local.js", { type: "module" });
  window.askDevice = (text) => timed(() => new Promise((resolve, reject) => {
    const body = { task: "demo", inputs: [{ profile: ${JSON.stringify(PROFILE)}, text }], topK: 3 };
    window.device.onmessage = ({ data }) => {
      if (data.problem) reject(new Error(data.problem.detail));
      if (data.answer) resolve();
    };
    window.device.onerror = () => reject(new Error("The page's engine does not start."));
    window.device.postMessage({ id: 1, key, body });
  }));
};
window.askService = (text) => timed(async () => {
  const body = JSON.stringify({ task: "demo", profile: ${JSON.stringify(PROFILE)}, inputs: text, topK: 3 });
  const response = await fetch("/v1/predict", { method: "POST", body, headers: { "content-type": "application/json" } });
  if (!response.ok) throw new Error(await response.text());
  await response.json();
});
`;

export const browser: Bench = {
  name: "browser",
  description:
    "a text on a page, labelled there / by the Worker beside it; and how long the page's engine takes to start",
  async run({ quick, progress }) {
    if (!chromiumPath) throw new MissingDependency("This machine has no Chromium.");
    const { rounds, starts } = quick ? { rounds: 2, starts: 1 } : { rounds: 60, starts: 7 };
    const opened = await startBrowser();
    try {
      return await withWorker(async (worker) => {
        await pushDemo(worker, 1, { maxTokens: 512 });
        const { page } = await openPage(opened, worker.url);
        await page.evaluate(SETUP);
        const ask = (who: "Device" | "Service", tokens: number) =>
          page.evaluate<number>(`window.ask${who}(${JSON.stringify(newText(tokens))})`);
        const phases: { first: number; again: number[] } = { first: 0, again: [] };
        for (let start = 0; start <= starts; start++) {
          await page.evaluate(`window.openDevice(${JSON.stringify(worker.adminKey)})`);
          const time = await ask("Device", 32);
          if (start === 0) phases.first = time;
          else phases.again.push(time);
        }
        const { figures, table } = await compareByLength(
          {
            lengths: quick ? [8] : [8, 32, 128, 512],
            async measure(tokens) {
              const times: Record<"device" | "service", number[]> = { device: [], service: [] };
              for (let round = 0; round < rounds; round++) {
                times.device.push(await ask("Device", tokens));
                times.service.push(await ask("Service", tokens));
              }
              return times;
            },
            ratios: { browser: { goals: {}, sides: ({ device, service }) => [device, service] } },
            columns: ({ device, service }) => ({ "page ms": medianOf(device), "Worker ms": medianOf(service) }),
          },
          progress,
        );
        const startRow = {
          start: "first answer",
          "downloads included ms": phases.first,
          "from the browser's cache ms": medianOf(phases.again),
        };
        return { figures, table: [...table, startRow] };
      });
    } finally {
      await opened.close();
    }
  },
};
