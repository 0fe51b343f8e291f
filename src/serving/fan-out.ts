import { XpeftError } from "../errors.ts";
import { StreamAborted } from "../lib/ndjson.ts";
import { pause } from "../lib/pause.ts";
import { createTurns } from "../lib/turns.ts";
import { unknownTaskError } from "../profiles/not-found.ts";
import {
  generationMismatchError,
  meetsPrecondition,
  type Precondition,
  taskChangedError,
} from "../storage/precondition.ts";
import type { TextInput } from "../text/tokenizer.ts";
import type { Engine } from "./engine.ts";
import { type FanOutProfiles, type FanOutRow, type FanOutRows, pageReader } from "./fan-out-rows.ts";
import { createSelection, type FanOutFilter, type FanOutLine, type Selection } from "./fan-out-selection.ts";
import type { TextOfMany } from "./open-text.ts";
import type { RowCache } from "./row-cache.ts";

/** A text, and the profiles that label it. */
export interface FanOutRequest extends FanOutFilter {
  readonly task: string;
  readonly input: TextInput;
  readonly profiles: FanOutProfiles;
  /** The last profile of the answer that is resumed; empty to begin. */
  readonly after: string;
  /** Whether a text longer than the task reads is truncated (the default) or rejected. */
  readonly truncate?: boolean;
  /** The generation that the task must be at. */
  readonly expected: Precondition;
}

/** What was read so far. */
export interface FanOutCounts {
  /** Whether these are the last counts of the answer. */
  readonly done: boolean;
  /** Profiles that were read. */
  readonly profiles: number;
  /** Profiles that have a line with a label. */
  readonly matched: number;
  /** Profiles that have a line with an error. */
  readonly failed: number;
  /** How many profiles give each label, whatever the filter. */
  readonly labels: Readonly<Record<string, number>>;
  /** Tokens of the text, special tokens included. */
  readonly tokens: number;
  readonly truncated: boolean;
  /** The last profile that was read, if there may be more; otherwise null. */
  readonly next: string | null;
}

/** A part of an answer. */
export interface FanOutPage {
  /** The caller may empty the list: generators hold a page while they wait for the next one. */
  readonly lines: FanOutLine[];
  readonly counts: FanOutCounts;
}

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

/** Most pages of a request. Each takes two queries of a database, or three of each of several databases. */
const MAX_PAGES = 50;

/** Requests that work on a page at once: one computes while the other one's database answers. */
const PAGES_AT_ONCE = 2;

/** Profiles between two pauses: 1 to 2 ms of work. */
const PROFILES_A_PAUSE = 8;

/** Many times as long as a page takes. */
const FORGET_TURN_MS = 60_000;

/** How often a fan-out starts again because the task was written since it was cached. */
const MAX_STARTS = 3;

/** Creates what fans texts out. Its requests take turns, page by page. */
export function createFanOut({ engine, cache }: { engine: Engine; cache: RowCache }): FanOut {
  const turns = createTurns({ atOnce: PAGES_AT_ONCE, forgetAfterMs: FORGET_TURN_MS });

  /** Labels a page's profiles. Other requests run between them. */
  async function labelPage(rows: readonly FanOutRow[], text: TextOfMany, selection: Selection, signal: AbortSignal) {
    const lines: FanOutLine[] = [];
    for (const [index, { id, row }] of rows.entries()) {
      if (index % PROFILES_A_PAUSE === 0) {
        await pause(0);
        if (signal.aborted) throw new StreamAborted(signal.reason);
        text.touch();
      }
      const line = selection.add(id, row instanceof XpeftError ? row : labelOrFault(text, row));
      if (line) lines.push(line);
    }
    return lines;
  }

  async function* run(
    request: FanOutRequest,
    from: FanOutRows,
    signal: AbortSignal,
  ): AsyncGenerator<FanOutPage & Pick<OpenFanOut, "taskGeneration">> {
    const { task } = await cache.read(from.stores, request.task, [], from.freshness);
    if (!task) throw unknownTaskError(request.task);
    const { name, generation, labels } = task;
    const readPage = pageReader(request.profiles, task, from);
    const text = engine.openText(task, request.input, request);
    let selection: Selection | undefined;

    /** What reads the first page. */
    async function begin(): Promise<Selection> {
      if (!meetsPrecondition(request.expected, generation)) {
        throw generationMismatchError(`Task "${name}"`, request.expected, generation);
      }
      const begun = createSelection(labels, request);
      await text.read();
      return begun;
    }

    /** Reads and labels a page when its turn comes. Its rows are garbage as soon as they are labelled. */
    async function labelNext(
      after: string,
    ): Promise<{ lines: FanOutLine[]; next: string | null; counts: ReturnType<Selection["counts"]> }> {
      const endTurn = await turns.take(signal).catch((reason: unknown) => {
        throw new StreamAborted(reason);
      });
      try {
        const { rows, taskGeneration, next } = await readPage(after);
        if (taskGeneration !== generation) throw taskChangedError(name);
        selection ??= await begin();
        return { lines: await labelPage(rows, text, selection, signal), next, counts: selection.counts() };
      } finally {
        endTurn();
      }
    }

    try {
      const { tokens, truncated } = text;
      for (let [after, pages]: [string | null, number] = [request.after, 1]; after !== null; pages++) {
        const { lines, next, counts }: Awaited<ReturnType<typeof labelNext>> = await labelNext(after);
        const done = next === null || pages === MAX_PAGES;
        if (done) lines.push(...(selection?.best() ?? []));
        // While the caller reads a page, nobody waits for it.
        yield { taskGeneration: generation, lines, counts: { done, ...counts, tokens, truncated, next } };
        if (done) return;
        after = next;
      }
    } finally {
      text.close();
    }
  }

  async function open(request: FanOutRequest, from: FanOutRows, signal: AbortSignal, starts = 1): Promise<OpenFanOut> {
    const pages = run(request, from, signal);
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

function labelOrFault(text: TextOfMany, row: Parameters<TextOfMany["label"]>[0] & { generation: number }) {
  try {
    return { ...text.label(row), generation: row.generation };
  } catch (error) {
    if (error instanceof XpeftError) return error;
    throw error;
  }
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
