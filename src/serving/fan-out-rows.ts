import type { Manifest } from "../bundle/manifest.ts";
import type { XpeftError } from "../errors.ts";
import { maskBytes } from "../profiles/masks.ts";
import { unknownProfileError, unknownTaskError } from "../profiles/not-found.ts";
import type { StoredProfile } from "../profiles/profile.ts";
import { headShapeOf, mostLabelBiasBytes } from "../profiles/profile-head.ts";
import type { Task } from "../profiles/task.ts";
import { taskMaskShape } from "../profiles/task-adapter.ts";
import { type ListPage, profilesOfPage } from "../storage/page.ts";
import type { ProfileRegistry } from "../storage/profiles.ts";
import type { RowSource } from "./predictor.ts";

/** Which profiles of a task: ids, each once, or all whose ids have a prefix. */
export type FanOutProfiles = readonly string[] | { readonly prefix: string };

/** Where the rows of a fan-out are read. */
export interface FanOutRows extends Pick<RowSource, "stores" | "freshness"> {
  /** Opens the profiles of the primary databases. */
  readonly profiles: () => Promise<Pick<ProfileRegistry, "list">>;
}

/** A profile, or why there is none. */
export interface FanOutRow {
  readonly id: string;
  readonly row: StoredProfile | XpeftError;
}

/** Profiles that were read at once, and the task's generation then; null if databases differed. */
interface RowPage {
  readonly rows: readonly FanOutRow[];
  readonly taskGeneration: number | null;
  /** The last id, if there may be more. */
  readonly next: string | null;
}

/** Most profiles of a page. */
const FAN_OUT_PAGE = 500;

/**
 * Returns what reads the page after a profile.
 *
 * @param task of the bundle with this manifest; rows are compared with its generation
 * @throws XpeftError `invalid_row` if the task's pool is damaged
 */
export function pageReader(
  profiles: FanOutProfiles,
  task: Task,
  manifest: Manifest,
  from: FanOutRows,
): (after: string) => Promise<RowPage> {
  if ("prefix" in profiles) {
    return async (after) => {
      const registry = await from.profiles();
      const page = await registry.list(task.name, { limit: FAN_OUT_PAGE, after }, profiles.prefix);
      return { ...page, rows: page.items.map((row) => ({ id: row.id, row })) };
    };
  }
  const profileBytes = maskBytes(taskMaskShape(manifest, task.adapter)) + mostLabelBiasBytes(headShapeOf(task));
  const pageSize = profilesOfPage(FAN_OUT_PAGE, profileBytes);
  return async (after) => {
    const { items, next } = pageOfIds(profiles, after, pageSize);
    const read = await from.stores.primary.read(task.name, items, task.generation);
    if (read.generation === null) throw unknownTaskError(task.name);
    const rows = items.map((id) => ({ id, row: read.profiles.get(id) ?? unknownProfileError(task.name, id) }));
    return { rows, taskGeneration: read.generation, next };
  };
}

function pageOfIds(ids: readonly string[], after: string, pageSize: number): ListPage<string> {
  const start = ids.indexOf(after) + 1;
  const items = ids.slice(start, start + pageSize);
  return { items, next: start + items.length < ids.length ? (items.at(-1) ?? null) : null };
}
