import type { Context } from "hono";
import { overloaded } from "../../src/overload.ts";
import { createRoom } from "../../src/room.ts";
import type { AppEnv } from "../env.ts";
import { MAX_HELD_BYTES } from "../settings.ts";

/** What the isolate's requests hold together. */
const held = createRoom(MAX_HELD_BYTES);

/** What a request takes whatever its body: its own objects, headers, answer. */
const REQUEST_BYTES = 4 * 1024;

/**
 * Does a request's work with room for its body, or refuses it where the bodies of others leave none.
 *
 * @param bytes most that is held of the body at once
 * @param ended where the answer goes on after the work is done: what settles at its end
 * @throws XpeftError `overloaded`
 */
export async function holdBytes<Result>(
  c: Context<AppEnv>,
  bytes: number,
  work: () => Promise<Result>,
  ended: () => Promise<void> | undefined = () => undefined,
): Promise<Result> {
  const amount = REQUEST_BYTES + bytes;
  if (!held.tryTake(amount)) throw overloaded("as many bodies", 0);
  const done = work();
  const released = done.then(ended, () => {}).finally(() => held.give(amount));
  // A caller who hangs up ends its request unless something waits, and what the request holds would be lost for good.
  c.executionCtx.waitUntil(released);
  return await done;
}
