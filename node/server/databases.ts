import type { Databases } from "../../app/platform/platform.ts";
import type { Database } from "../../src/storage/database.ts";
import type { OpenDatabase } from "./open-database.ts";

/** Returns libSQL databases as the app wants them. A session reads what every other has written, so it needs no bookmark. */
export function libsqlDatabases(opened: readonly OpenDatabase[]): Databases {
  function open(number: number): Database {
    const one = opened[number];
    if (!one) throw new RangeError(`there is no database ${number}`);
    return one.db;
  }
  return {
    count: () => opened.length,
    open,
    openSession: (number) => ({ db: open(number), bookmark: () => null }),
  };
}
