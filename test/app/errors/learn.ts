import { examplesOf } from "../../support/examples.ts";
import type { Fixture, Provocations } from "./fixture.ts";

const learn = ({ worker }: Fixture, body: object) =>
  worker.request("POST", "/v1/profiles/demo/demo-000/learn", { body: { start: "default", dryRun: true, ...body } });

/** Learnings that fail. */
export const learnProvocations = {
  unknown_label: (fixture) => learn(fixture, { examples: examplesOf(4, ["low", "purple"]) }),

  one_label: (fixture) => learn(fixture, { examples: examplesOf(4, ["low", "low"]) }),

  too_few_examples: (fixture) => learn(fixture, { examples: [] }),

  too_many_examples: (fixture) => learn(fixture, { examples: examplesOf(201) }),

  learning_too_long: (fixture) => learn(fixture, { examples: examplesOf(150), epochs: 1000 }),

  async learning_busy(fixture) {
    const first = await learn(fixture, { examples: examplesOf(20), epochs: 30 });
    const rejected = await learn(fixture, { examples: examplesOf(4) });
    await first.body?.cancel();
    // The next provocation must not find this learning still running.
    let next = await learn(fixture, { examples: examplesOf(4) });
    while (next.status === 503) next = await learn(fixture, { examples: examplesOf(4) });
    await next.text();
    return rejected;
  },
} satisfies Provocations;
