import { applyD1Migrations, type D1Migration, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach } from "vitest";

declare global {
  namespace Cloudflare {
    interface Env {
      readonly MIGRATIONS: D1Migration[];
      readonly GOLDEN: Record<string, string>;
      readonly DB: D1Database;
      readonly OTHER_DB: D1Database;
    }
  }
}

// Each test starts with an empty database.
beforeEach(async () => {
  // A reset skips databases that workerd has unloaded after idling; a query loads them again.
  await Promise.all([env.DB, env.OTHER_DB].map((database) => database.exec("SELECT 1")));
  await reset();
  await applyD1Migrations(env.DB, env.MIGRATIONS);
});
