import { XpeftError } from "../errors.ts";
import type { Engine } from "./engine.ts";
import { createFanOutPages, type FanOutPage, type FanOutRequest } from "./fan-out-pages.ts";
import type { FanOutRows } from "./fan-out-rows.ts";
import type { RowCache } from "./row-cache.ts";

/** An answer whose first page is ready. */
export interface OpenFanOut {
  readonly taskGeneration: number;
  /**
   * Pages by id, or in the order of the request's ids. Ends early with StreamAborted if the signal is aborted.
   *
   * @throws XpeftError `write_conflict` if the task was written meanwhile, `unknown_task` if it was deleted,
   * `database_unavailable`
   */
  readonly pages: AsyncGenerator<FanOutPage>;
}

/**
 * Labels a text under many profiles. The text is read once, and rows are read page by page. No row and no merged
 * adapter is cached, so that ordinary requests keep theirs.
 *
 * @throws XpeftError `unknown_task`, `unknown_label`, `generation_mismatch` or `write_conflict`, an error of
 * {@link Engine.openText}, or `database_unavailable`, before there is an answer
 */
export type FanOut = (request: FanOutRequest, from: FanOutRows, signal: AbortSignal) => Promise<OpenFanOut>;

/** How often a fan-out starts again because the task was written since it was cached. */
const MAX_STARTS = 3;

/** Creates what fans texts out. Its requests take turns, page by page. */
export function createFanOut(parts: { engine: Engine; cache: RowCache }): FanOut {
  const pagesOf = createFanOutPages(parts);

  async function open(request: FanOutRequest, from: FanOutRows, signal: AbortSignal, starts = 1): Promise<OpenFanOut> {
    const pages = pagesOf(request, from, signal);
    try {
      const { value } = await pages.next();
      if (!value) throw new RangeError("there is no first page");
      const all = startedWith(value, pages);
      await all.next();
      return { taskGeneration: value.taskGeneration, pages: all };
    } catch (error) {
      const isStale = error instanceof XpeftError && error.code === "write_conflict";
      if (!isStale || starts === MAX_STARTS) throw error;
      return await open(request, { ...from, freshness: "primary" }, signal, starts + 1);
    }
  }
  return open;
}

/** Yields an item twice, then the rest. The first time starts the generator: only then does its end end the rest. */
async function* startedWith<Item>(first: Item, rest: AsyncGenerator<Item>): AsyncGenerator<Item> {
  try {
    yield first;
    yield first;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}
