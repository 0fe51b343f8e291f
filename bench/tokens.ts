import { signToken, type TokenContents } from "../src/auth/profile-token.ts";
import { parseSigningKeys } from "../src/auth/signing-keys.ts";
import type { NewProfile } from "../src/profiles/profile.ts";
import type { NewTask } from "../src/profiles/task.ts";
import { TOKEN_KEYS } from "../test/support/worker.ts";

const TOKEN_SECONDS = 3600;

/** Makes tokens of a task's profiles, which are as they were first pushed; the same for a profile each time. */
export function signerOf(task: NewTask, carry: TokenContents): (profile: NewProfile) => Promise<string> {
  const keys = parseSigningKeys(TOKEN_KEYS);
  const signing = { carry, ttlSeconds: TOKEN_SECONDS, until: null, now: new Date() };
  return async (profile) => {
    const row = { ...profile, task: task.name, generation: 1, updatedAt: signing.now };
    const { token } = await signToken(keys, { ...task, generation: 1 }, row, signing);
    return token;
  };
}
