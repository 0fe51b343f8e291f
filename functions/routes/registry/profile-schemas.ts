import { z } from "@hono/zod-openapi";
import { toBase64 } from "../../../src/lib/base64.ts";
import type { StoredProfile } from "../../../src/profiles/profile.ts";
import { Base64, HeadHash, LastWrite, NextPage, ProfileId, TaskName } from "../../http/row-schemas.ts";

const parts = {
  masks: Base64("The profile's mask blob; empty if it has no masks."),
  labelBias: Base64("The profile's label bias: an int8 for each label, in sixteenths. Null if it has none.").nullable(),
};

/** A stored profile. */
export const Profile = z
  .object({
    task: TaskName,
    profile: ProfileId,
    ...parts,
    maskBytes: z.int().openapi({ description: "Bytes of the mask blob; 0 if there are no masks.", example: 64 }),
    labelBiasBytes: z.int().openapi({ description: "Bytes of the label bias; 0 if there is none.", example: 5 }),
    ...LastWrite,
  })
  .openapi("Profile");

/** A page of profiles. */
export const ProfilePage = z.object({ profiles: z.array(Profile), next: NextPage }).openapi("ProfilePage");

/** A profile to write. */
export const ProfileBody = z
  .strictObject({
    task: TaskName.optional(),
    profile: ProfileId.optional(),
    headHash: HeadHash.nullish(),
    masks: parts.masks,
    labelBias: parts.labelBias
      .optional()
      .openapi({ description: "Leave it out or send null to write a profile without a label bias." }),
  })
  .openapi("ProfileParts");

/** The answer to a write. */
export const ProfileWritten = z
  .object({ task: TaskName, profile: ProfileId, generation: LastWrite.generation, created: z.boolean() })
  .openapi("ProfileWritten");

/** Returns a stored profile as an answer shows it. */
export function profileAnswer(profile: StoredProfile): z.infer<typeof Profile> {
  const { task, id, masks, labelBias, generation, updatedAt } = profile;
  return {
    task,
    profile: id,
    masks: toBase64(masks),
    labelBias: labelBias && toBase64(labelBias),
    maskBytes: masks.length,
    labelBiasBytes: labelBias?.length ?? 0,
    generation,
    updatedAt: updatedAt.toISOString(),
  };
}
