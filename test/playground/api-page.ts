import { expect, it } from "vitest";
import { openPath } from "./pages.ts";

export function testApiPage(): void {
  it("renders the OpenAPI document without violating its content security policy", async () => {
    const { page, browserErrors } = await openPath("/api");
    await page.locator(".opblock-post").first().waitFor();
    await page.getByText("rollback").first().waitFor();
    expect(browserErrors).toEqual([]);
    await page.context().close();
  });
}
