import { z } from "@hono/zod-openapi";
import { profilePattern, taskPattern } from "../src/names.ts";

/** A task's name. */
export const TaskName = z
  .string()
  .regex(taskPattern, "is not a task's name: a-z, 0-9, _ and -, at most 64 of them")
  .openapi({ example: "news" });

/** A profile's id. */
export const ProfileId = z
  .string()
  .regex(profilePattern, "is not a profile's id: A-Z, a-z, 0-9 and . _ : @ -, at most 128 of them")
  .openapi({ example: "news-000" });

/** What every row tells of its last write. */
export const Written = {
  generation: z.int().min(1).openapi({ description: "1 at first, up by one at each write of the row." }),
  updatedAt: z.iso.datetime().openapi({ description: "When the row was last written." }),
};
