import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { serviceDelay, watchRequest } from "../../playground/api/service.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("says within a second that a request waits, until it ends", () => {
  const watch = watchRequest();
  expect(serviceDelay.value).toBeNull();
  vi.advanceTimersByTime(999);
  expect(serviceDelay.value).toEqual({ kind: "slow" });
  watch.end();
  expect(serviceDelay.value).toBeNull();
});

it("says why a request is sent again, and goes on while another one waits", () => {
  const [first, second] = [watchRequest(), watchRequest()];
  first.retry({ kind: "failing", detail: "The database is away." });
  expect(serviceDelay.value).toEqual({ kind: "failing", detail: "The database is away." });
  vi.advanceTimersByTime(999);
  first.end();
  expect(serviceDelay.value).toEqual({ kind: "slow" });
  second.retry({ kind: "away" });
  expect(serviceDelay.value).toEqual({ kind: "away" });
  second.end();
  expect(serviceDelay.value).toBeNull();
});

it("says nothing of a request that was fast", () => {
  watchRequest().end();
  vi.advanceTimersByTime(5000);
  expect(serviceDelay.value).toBeNull();
});
