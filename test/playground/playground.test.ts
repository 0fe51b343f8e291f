import { afterAll, beforeAll, describe } from "vitest";
import { chromiumPath } from "../support/browser.ts";
import { testAccessibility } from "./accessibility.ts";
import { testComparePage } from "./compare-page.ts";
import { testDocsPage } from "./docs-page.ts";
import { startGround, stopGround } from "./ground.ts";
import { testLearnPage } from "./learn-page.ts";

// One file, as a Worker and a browser for each would take longer to start than most of their tests to run.
describe.skipIf(!chromiumPath)("the pages (need a Chromium)", () => {
  beforeAll(startGround);
  afterAll(stopGround);

  describe("/docs", testDocsPage);
  describe("the page that compares profiles", testComparePage);
  describe("the page that learns a profile", testLearnPage);
  describe("the playground's pages, for everybody", testAccessibility);
});
