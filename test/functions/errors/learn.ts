import { examplesOf } from "../../support/examples.ts";
import type { Ground, Provocations } from "./ground.ts";

const learn = ({ worker }: Ground, body: object) =>
  worker.request("POST", "/v1/profiles/demo/demo-000/learn", { body: { start: "default", dryRun: true, ...body } });

/** Learnings that fail. */
export const learnProvocations = {
  unknown_label: (ground) => learn(ground, { examples: examplesOf(4, ["low", "purple"]) }),

  one_label: (ground) => learn(ground, { examples: examplesOf(4, ["low", "low"]) }),

  too_few_examples: (ground) => learn(ground, { examples: [] }),

  too_many_examples: (ground) => learn(ground, { examples: examplesOf(201) }),

  learning_too_long: (ground) => learn(ground, { examples: examplesOf(150), epochs: 100 }),

  async learning_busy(ground) {
    const first = await learn(ground, { examples: examplesOf(20), epochs: 30 });
    const refused = await learn(ground, { examples: examplesOf(4) });
    await first.body?.cancel();
    // The next provocation must not find this learning still running.
    let next = await learn(ground, { examples: examplesOf(4) });
    while (next.status === 503) next = await learn(ground, { examples: examplesOf(4) });
    await next.text();
    return refused;
  },
} satisfies Provocations;
