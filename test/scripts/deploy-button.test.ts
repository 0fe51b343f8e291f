import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";

it("Cloudflare's deploy button describes what it asks for: the database, each variable and each secret", async () => {
  const { cloudflare } = JSON.parse(await readFile("package.json", "utf8"));
  const { vars, d1_databases } = unstable_readConfig({ config: "wrangler.toml" });
  const example = await readFile(".dev.vars.example", "utf8");
  const secrets = [...example.matchAll(/^([A-Z_]+)="(.*)"$/gm)];
  // A value in the file would be the secret of everybody who leaves it as it is.
  expect(secrets.map(([, name, value]) => ({ name, value }))).toEqual([{ name: "TOKEN_KEYS", value: "" }]);
  const asked = [
    ...d1_databases.map(({ binding }: { binding: string }) => binding),
    ...Object.keys(vars),
    "TOKEN_KEYS",
  ];
  expect(Object.keys(cloudflare.bindings).sort()).toEqual(asked.sort());
});
