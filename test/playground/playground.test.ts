import { afterAll, beforeAll, describe } from "vitest";
import { chromiumPath } from "../support/browser.ts";
import { testAccessibility } from "./accessibility.ts";
import { testAudience } from "./audience.ts";
import { testComparePage } from "./compare-page.ts";
import { testDocsPage } from "./docs-page.ts";
import { testLearnPage } from "./learn-page.ts";
import { testOnDevice } from "./on-device.ts";
import { startPages, stopPages } from "./pages.ts";

// One file: starting a Worker and a browser for each page would take longer than most of the tests.
describe.skipIf(!chromiumPath)("the pages (need a Chromium)", () => {
  beforeAll(startPages);
  afterAll(stopPages);

  describe("/docs", testDocsPage);
  describe("the compare page", testComparePage);
  describe("labelling on this device", testOnDevice);
  describe("the audience", testAudience);
  describe("the learn page", testLearnPage);
  describe("accessibility of the playground", testAccessibility);
});
