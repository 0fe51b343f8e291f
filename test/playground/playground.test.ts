import { afterAll, beforeAll, describe } from "vitest";
import { chromiumPath } from "../support/browser.ts";
import { testAccessibility } from "./accessibility.ts";
import { testApiPage } from "./api-page.ts";
import { testCompareView } from "./compare-view.ts";
import { testKeyboard } from "./keyboard.ts";
import { testOnDevice } from "./on-device.ts";
import { startPages, stopPages } from "./pages.ts";
import { testProfilesView } from "./profiles-view.ts";
import { testTeachView } from "./teach-view.ts";
import { testTrouble } from "./trouble.ts";

// One file: starting a Worker and a browser for each view would take longer than most of the tests.
describe.skipIf(!chromiumPath)("the pages (need a Chromium)", () => {
  beforeAll(startPages);
  afterAll(stopPages);

  describe("/api", testApiPage);
  describe("Compare", testCompareView);
  describe("labelling on this device", testOnDevice);
  describe("Teach", testTeachView);
  describe("Profiles", testProfilesView);
  describe("a service in trouble", testTrouble);
  describe("the keyboard", testKeyboard);
  describe("accessibility of the playground", testAccessibility);
});
