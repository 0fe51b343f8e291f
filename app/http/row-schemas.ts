import { z } from "@hono/zod-openapi";
import { describeInvalidId, profilePattern, taskPattern } from "../../src/profiles/names.ts";
import { headHashPattern } from "../../src/profiles/profile-task.ts";
import type { Precondition } from "../../src/storage/precondition.ts";

/** Most rows of a list in one answer. */
export const MAX_PAGE = 1000;

/** Groups of four, the last one padded. The platform's decoder accepts any digit before the padding. */
const BASE64_PATTERN = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$";

/** A task's name. */
export const TaskName = z
  .string()
  .regex(taskPattern, "is not a task's name: a-z, 0-9, _ and -, at most 64 of them")
  .openapi({ example: "news" });

/** A profile's id. */
export const ProfileId = z
  .string()
  .regex(profilePattern, { error: ({ input }) => describeInvalidId(String(input)) })
  .openapi({ example: "news-000" });

/** Path parameters that name a profile. */
export const profileParams = z.object({ task: TaskName, profile: ProfileId });

/** Bytes in base64. */
export const Base64 = (description: string) =>
  z.base64().openapi({ description, format: "byte", pattern: BASE64_PATTERN });

/** The labels that a profile knows, by name. */
export const KnownLabels = z.array(z.string()).min(1);

/** The hash of the head that masks were trained with. */
export const HeadHash = z.string().regex(headHashPattern, "is not a head's hash: 32 hex digits").openapi({
  description:
    "Identifies the bundle, labels, head and task adapter that the profile was trained with. A write is rejected if the task has others.",
});

/** What every row says about its last write. */
export const LastWrite = {
  generation: z
    .int()
    .min(1)
    .max(Number.MAX_SAFE_INTEGER)
    .openapi({ description: "Starts at 1 and increases by one with each write of the row." }),
  updatedAt: z.iso.datetime().openapi({ description: "Time of the last write." }),
};

/** The generation that a row must be at, as `If-Match`. */
export const IfMatch = z
  .string()
  .regex(/^(\*|(W\/)?"[0-9]{1,15}"|[0-9]{1,15})$/, "is neither a generation nor *")
  .optional()
  .openapi({
    description: "The generation that the row must be at, as in its ETag; * if it must only exist.",
    example: '"3"',
  });

/** The precondition of a write. Without either header the write always happens. */
export const Preconditions = z.object({
  "if-match": IfMatch,
  "if-none-match": z.literal("*").optional().openapi({ description: "* if the row must not exist." }),
});

/** Returns the precondition of a write's headers. Both headers together never hold. */
export function preconditionOf(headers: Partial<z.infer<typeof Preconditions>>): Precondition {
  const match = headers["if-match"];
  const absent = headers["if-none-match"] !== undefined;
  if (absent) return match === undefined ? 0 : "never";
  if (match === undefined || match === "*") return match && "any";
  // Proxies that compress an answer make its entity tag weak; a generation stays exact.
  return Number(match.replace(/^W\//, "").replaceAll('"', ""));
}

/** Returns a generation as an entity tag. */
export const etagOf = (generation: number): string => `"${generation}"`;

/** Headers of answers that carry a row's generation. */
export const GenerationHeaders = z.object({
  etag: z.string().openapi({ description: "The row's generation, for If-Match.", example: '"3"' }),
});

/** Query parameters of a list. */
export const PageParams = z.strictObject({
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(100).openapi({
    type: "integer",
    minimum: 1,
    maximum: MAX_PAGE,
    default: 100,
    description: "Most rows of the page.",
  }),
  after: z.string().max(128).default("").openapi({ description: "The `next` of the previous page." }),
});

/** The cursor of the next page. */
export const NextPage = z
  .string()
  .nullable()
  .openapi({ description: "Send it as `after` to get the next page; null on the last page." });

/** The id of a bundle. */
export const BundleId = z
  .string()
  .regex(/^[0-9a-f]{32}$/, "is not a bundle's id")
  .openapi({
    description: "Id of the bundle that the task was trained on.",
    example: "0123456789abcdef0123456789abcdef",
  });

/** The answer to a deletion. */
export const Deleted = z
  .object({
    generation: z
      .int()
      .min(1)
      .openapi({ description: "The generation of the deletion. A new row of this name continues from it." }),
  })
  .openapi("Deleted");

/** A prefix of profile ids. */
export const ProfilePrefix = z
  .string()
  .regex(/^([A-Za-z0-9][A-Za-z0-9._:@-]{0,127})?$/, "cannot be the start of a profile's id")
  .default("")
  .openapi({ description: "Prefix of the profiles' ids; empty for all." });
