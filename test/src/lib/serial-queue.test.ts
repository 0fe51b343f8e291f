import { expect, it } from "vitest";
import { createSerialQueue } from "../../../src/lib/serial-queue.ts";

it("starts each job after the previous one succeeds or fails", async () => {
  const oneAtATime = createSerialQueue();
  const log: string[] = [];
  const work = (name: string, fail = false) =>
    oneAtATime(async () => {
      log.push(`${name} starts`);
      await new Promise((resolve) => setTimeout(resolve, 1));
      log.push(`${name} ends`);
      if (fail) throw new Error(name);
      return name;
    });
  const results = await Promise.allSettled([work("a"), work("b", true), work("c")]);
  expect(log).toEqual(["a starts", "a ends", "b starts", "b ends", "c starts", "c ends"]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
});
