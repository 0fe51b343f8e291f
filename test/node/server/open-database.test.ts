import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { openDatabase } from "../../../node/server/open-database.ts";
import { withDatabaseErrors } from "../../../src/storage/database.ts";
import { makeTempFolder } from "../../support/temp-folders.ts";

it("commits every write that waited for another connection's lock, and every later one", async () => {
  const url = `file:${join(await makeTempFolder("xpeft-locked-"), "one.db")}`;
  const open = async () => {
    const { client } = await openDatabase(url);
    onTestFinished(() => client.close());
    return client;
  };
  const [mine, other] = [await open(), await open()];
  await mine.execute("CREATE TABLE t (v INTEGER)");
  const insert = (value: number) => ({ sql: "INSERT INTO t VALUES (?)", args: [value] });
  const lock = await other.transaction("write");
  const writes = [mine.execute(insert(1)), mine.batch([insert(2), insert(3)]), mine.execute(insert(4))];
  await expect.poll(async () => (await mine.execute("SELECT v FROM t")).rows).toEqual([]);
  await lock.rollback();
  await Promise.all(writes);
  await mine.execute(insert(5));
  await mine.batch([insert(6)]);
  // Only what is committed is visible to others.
  const { rows } = await (await open()).execute("SELECT v FROM t ORDER BY v");
  expect(rows.map(({ v }) => v)).toEqual([1, 2, 3, 4, 5, 6]);
});

it("says that a database may only be read", async () => {
  const { client } = await openDatabase(`file:${join(await makeTempFolder("xpeft-read-only-"), "one.db")}`);
  onTestFinished(() => client.close());
  await client.execute("CREATE TABLE t (v INTEGER)");
  await client.execute("PRAGMA query_only = 1");
  await expect(withDatabaseErrors(() => client.execute("INSERT INTO t VALUES (1)"))).rejects.toMatchObject({
    code: "database_unavailable",
    reason: "readonly",
    message: "The database cannot be written.",
  });
});
