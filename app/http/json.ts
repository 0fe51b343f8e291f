import type { z } from "@hono/zod-openapi";
import { GenerationHeaders } from "./row-schemas.ts";

const content = <S extends z.ZodType>(schema: S) => ({ "application/json": { schema } });

/** Declares a route's JSON body. */
export const jsonRequest = <S extends z.ZodType>(schema: S) => ({ required: true as const, content: content(schema) });

/** Declares a JSON answer of a route. */
export const jsonAnswer = <S extends z.ZodType>(description: string, schema: S) => ({
  description,
  content: content(schema),
});

/** Declares a JSON answer that carries a row's generation as its entity tag. */
export const rowAnswer = <S extends z.ZodType>(description: string, schema: S) => ({
  ...jsonAnswer(description, schema),
  headers: GenerationHeaders,
});
