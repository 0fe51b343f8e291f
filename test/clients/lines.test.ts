import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { createClient, lines } from "../../client/index.ts";

it("ends the request when its reader stops before the last line", async () => {
  const closed = Promise.withResolvers<boolean>();
  const server = createServer((_, response) => {
    response.on("close", () => closed.resolve(response.writableEnded));
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.write('{"label":"first"}\n{"label":"second"}\n');
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  try {
    const client = createClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const pending = client.v1.predict.stream.$post({ query: { task: "demo", profile: "demo-000" } });
    for await (const line of lines<{ label: string }>(pending)) {
      expect(line).toEqual({ label: "first" });
      break;
    }
    expect(await closed.promise).toBe(false);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
