import { expect, it } from "vitest";
import { openPath } from "./ground.ts";

export function testDocsPage(): void {
  it("draws the API's description, with nothing refused by its own policy", async () => {
    const { page, complaints } = await openPath("/docs");
    await page.locator(".opblock-post").first().waitFor();
    await page.getByText("rollback").first().waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });
}
