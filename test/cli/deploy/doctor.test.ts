import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { task, useRemote } from "../../support/remote.ts";
import { profilesOf } from "../../support/rows.ts";

const remote = useRemote();

describe("xpeft doctor", () => {
  it("reports each check's result, with a hint for each failure", async () => {
    await remote.worker.push({ ...task, name: "older", bundle: "0".repeat(32) }, []);
    const { code, stdout } = await remote.runCli("doctor", "--persist-to", join(remote.folder, "empty"));
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ok {3}bundle: [0-9a-f]{32}: all \d+ files match/);
    expect(stdout).toMatch(/\nFAIL local database: Migrations are missing: .*\n {7}Apply them with npm start/);
    expect(stdout).toMatch(/\nok {3}Worker: http:\S+ is healthy/);
    expect(stdout).toMatch(/\nFAIL Worker's tasks: 1 of \d tasks were trained on another bundle: older\./);
    await remote.worker.request("DELETE", "/v1/tasks/older");
    const elsewhere = await remote.runCli("doctor", "--url", "http://worker.invalid");
    expect(elsewhere.code).toBe(1);
    expect(elsewhere.stdout).not.toContain("local database");
    expect(elsewhere.stdout).toContain("FAIL Worker: There is no answer from http://worker.invalid.");
  });
});

describe("xpeft doctor --db", () => {
  const found = async () => {
    const { code, stdout } = await remote.runCli("doctor", "--db", "--json");
    const findings = JSON.parse(stdout) as { check: string; ok: boolean; found: string }[];
    return { code, ...findings.find(({ check }) => check === "rows") };
  };

  it("finds exactly the rows that do not match the bundle", async () => {
    expect(await found()).toMatchObject({
      ok: true,
      found: expect.stringMatching(/^all \d+ tasks and profiles fit this/),
    });
    await remote.worker.push({ ...task, name: "hurt" }, profilesOf(1));
    await remote.worker.db.exec("UPDATE profiles SET masks = x'00' WHERE task = 'demo' AND id = 'demo-001'");
    await remote.worker.db.exec("UPDATE tasks SET head = x'00' WHERE name = 'hurt'");
    const damaged = await found();
    expect(damaged).toMatchObject({ code: 1, ok: false });
    expect(damaged.found).toMatch(
      /^2 of \d+ tasks and profiles are damaged\.\ndemo\/demo-001: invalid_mask: .*\n.*\nhurt: \w+: /,
    );
    await remote.worker.db.exec("DELETE FROM profiles WHERE task = 'hurt'");
    await remote.worker.db.exec("DELETE FROM tasks WHERE name = 'hurt'");
    await remote.worker.db.exec("DELETE FROM profiles WHERE task = 'demo' AND id = 'demo-001'");
  });
});
