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
  readonly taskGeneration: number;
  /** The caller may empty the list: generators hold a page while they wait for the next one. */
  readonly lines: FanOutLine[];
  readonly counts: FanOutCounts;
}

/**
 * Yields the pages of an answer by id, or in the order of the request's ids. The text is read before the first page, and
 * freed at the end.
 *
 * @throws XpeftError the errors of a fan-out: fan-out.ts. `write_conflict` also if the task's cached row is stale
 */
export type FanOutPages = (request: FanOutRequest, from: FanOutRows, signal: AbortSignal) => AsyncGenerator<FanOutPage>;

/** Most pages of a request. Each takes two queries of a database, or three of each of several databases. */
const MAX_PAGES = 50;

/** Requests that work on a page at once: one computes while the other one's database answers. */
const PAGES_AT_ONCE = 2;

/** Profiles between two pauses: 1 to 2 ms of work. */
const PROFILES_A_PAUSE = 8;

/** Many times as long as a page takes. */
const FORGET_TURN_MS = 60_000;

/** Creates what makes the pages of fan-outs, which take turns, page by page. */
export function createFanOutPages({ engine, cache }: { engine: Engine; cache: RowCache }): FanOutPages {
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

  return async function* pagesOf(request, from, signal) {
    const { task } = await cache.read(from.stores, request.task, [], from.freshness);
    if (!task) throw unknownTaskError(request.task);
    const { name, generation, labels } = task;
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
      readPage: ReturnType<typeof pageReader>,
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
      const readPage = pageReader(request.profiles, task, engine.bundle.manifest, from);
      for (let [after, pages]: [string | null, number] = [request.after, 1]; after !== null; pages++) {
        const { lines, next, counts }: Awaited<ReturnType<typeof labelNext>> = await labelNext(readPage, after);
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
  };
}

function labelOrFault(text: TextOfMany, row: Parameters<TextOfMany["label"]>[0] & { generation: number }) {
  try {
    return { ...text.label(row), generation: row.generation };
  } catch (error) {
    if (error instanceof XpeftError) return error;
    throw error;
  }
}
