import { z } from "@hono/zod-openapi";
import { profilePattern, taskPattern } from "../../src/profiles/names.ts";
import type { Precondition } from "../../src/storage/precondition.ts";

/** Most rows of a list in one answer. */
export const MAX_PAGE = 1000;

/** Whole groups of four, the last one filled up; the digits before the filling are any, as the platform reads them. */
const BASE64_PATTERN = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$";

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

/** What is stored as bytes. */
export const Base64 = (description: string) =>
  z.base64().openapi({ description, format: "byte", pattern: BASE64_PATTERN });

/** What every row tells of its last write. */
export const LastWrite = {
  generation: z
    .int()
    .min(1)
    .max(Number.MAX_SAFE_INTEGER)
    .openapi({ description: "1 at first, up by one at each write of the row." }),
  updatedAt: z.iso.datetime().openapi({ description: "When the row was last written." }),
};

/** The generation that a row must be at. */
export const IfMatch = z
  .string()
  .regex(/^(\*|(W\/)?"[0-9]{1,15}"|[0-9]{1,15})$/, "is neither a generation nor *")
  .optional()
  .openapi({
    description: "The generation that the row must be at, as its ETag has it; * if it must only be there.",
    example: '"3"',
  });

/** What a writer believes of the row: without either header, the write is done whatever is there. */
export const Preconditions = z.object({
  "if-match": IfMatch,
  "if-none-match": z.literal("*").optional().openapi({ description: "* if the row must not be there." }),
});

/** The expectation of a write's headers; both together can never hold. */
export function preconditionOf(headers: Partial<z.infer<typeof Preconditions>>): Precondition {
  const match = headers["if-match"];
  const absent = headers["if-none-match"] !== undefined;
  if (absent) return match === undefined ? 0 : "never";
  if (match === undefined || match === "*") return match && "any";
  // An entity tag is made weak where an answer is compressed on its way; a generation is exact all the same.
  return Number(match.replace(/^W\//, "").replaceAll('"', ""));
}

/** A generation as an entity tag. */
export const etagOf = (generation: number): string => `"${generation}"`;

/** Headers of answers that tell a row's generation. */
export const GenerationHeaders = z.object({
  etag: z.string().openapi({ description: "The row's generation, for If-Match.", example: '"3"' }),
});

/** Which page of a list. */
export const PageParams = z.strictObject({
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(100).openapi({
    type: "integer",
    minimum: 1,
    maximum: MAX_PAGE,
    default: 100,
    description: "How many rows at most.",
  }),
  after: z.string().max(128).default("").openapi({ description: "The `next` of the page before." }),
});

/** Where the next page begins. */
export const NextPage = z
  .string()
  .nullable()
  .openapi({ description: "What to send as `after` for the next page; null on the last one." });

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
      .openapi({ description: "The generation that the deletion took; a new row goes on from it." }),
  })
  .openapi("Deleted");

/** What ids of profiles start with. */
export const ProfilePrefix = z
  .string()
  .regex(/^([A-Za-z0-9][A-Za-z0-9._:@-]{0,127})?$/, "cannot be the start of a profile's id")
  .default("")
  .openapi({ description: "What the profiles' ids start with; empty for all." });
