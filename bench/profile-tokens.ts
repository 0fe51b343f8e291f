import { signToken, type TokenContents } from "../src/auth/profile-token.ts";
import { parseSigningKeys } from "../src/auth/signing-keys.ts";
import type { NewProfile } from "../src/profiles/profile.ts";
import type { NewTask } from "../src/profiles/task.ts";
import { TOKEN_KEYS } from "../test/support/worker.ts";

const TTL_SECONDS = 3600;

/** Returns a function that signs tokens for a task's profiles at generation 1. A profile always gets the same token. */
export function createSigner(task: NewTask, carry: TokenContents): (profile: NewProfile) => Promise<string> {
  const keys = parseSigningKeys(TOKEN_KEYS);
  const options = { carry, ttlSeconds: TTL_SECONDS, until: null, now: new Date() };
  return async (profile) => {
    const row = { ...profile, task: task.name, generation: 1, updatedAt: options.now };
    const { token } = await signToken(keys, { ...task, generation: 1 }, row, options);
    return token;
  };
}
