import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

const FOLDER = ".github/workflows";

const stepSchema = z.union([z.looseObject({ uses: z.string() }), z.looseObject({ run: z.string() })]);
const workflowSchema = z.object({
  name: z.string(),
  on: z.looseObject({}),
  permissions: z.strictObject({ contents: z.literal("read") }),
  concurrency: z.object({ group: z.string(), "cancel-in-progress": z.boolean() }).optional(),
  jobs: z.record(
    z.string(),
    z.looseObject({ "runs-on": z.string(), "timeout-minutes": z.int(), steps: z.array(stepSchema).min(1) }),
  ),
});

describe.each(await readdir(FOLDER))("%s", async (name) => {
  const { jobs } = workflowSchema.parse(parse(await readFile(join(FOLDER, name), "utf8")));
  const steps = Object.values(jobs).flatMap((job) => job.steps);

  it("uses only GitHub's own actions, by their major versions", () => {
    for (const step of steps) if ("uses" in step) expect(step.uses).toMatch(/^actions\/[a-z-]+@v\d+$/);
  });

  it("runs only scripts that package.json has", async () => {
    const { scripts } = JSON.parse(await readFile("package.json", "utf8"));
    const commands = steps.flatMap((step) => ("run" in step ? String(step.run) : []));
    const run = commands.flatMap((text) => [...text.matchAll(/npm (?:run )?([a-z:]+)/g)].map(([, script]) => script));
    expect(run.filter((script) => script !== "ci" && !(String(script) in scripts))).toEqual([]);
  });
});
