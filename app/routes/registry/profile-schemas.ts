import { z } from "@hono/zod-openapi";
import { fromBase64, toBase64 } from "../../../src/lib/base64.ts";
import { findKnown, pickKnown, withKnown } from "../../../src/profiles/known-labels.ts";
import type { ProfileParts, StoredProfile } from "../../../src/profiles/profile.ts";
import { headShapeOf, readProfileHead } from "../../../src/profiles/profile-head.ts";
import { profileTaskOf } from "../../../src/profiles/profile-task.ts";
import type { Task } from "../../../src/profiles/task.ts";
import { Base64, HeadHash, KnownLabels, LastWrite, NextPage, ProfileId, TaskName } from "../../http/row-schemas.ts";

const parts = {
  masks: Base64("The profile's mask blob; empty if it has no masks."),
  labelBias: Base64(
    "The profile's label bias: an int8 for each label, in sixteenths; then a head change and known labels, if it has them. Null if it has none.",
  ).nullable(),
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

/** A stored profile with what its label bias consists of. */
export const ProfileDetails = Profile.extend({
  knownLabels: z
    .array(z.string())
    .nullable()
    .openapi({ description: "The labels that the profile knows; null for all labels of the task." }),
  headHash: HeadHash,
  headChangeRank: z.int().openapi({ description: "The rank of the profile's head change; 0 if there is none." }),
}).openapi("ProfileDetails");

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
    knownLabels: KnownLabels.nullish().openapi({
      description:
        "The labels that the profile knows. They replace those of labelBias. Without them, the profile knows what labelBias says; without a label bias, all labels.",
    }),
  })
  .openapi("ProfileParts");

/** The answer to a write. */
export const ProfileWritten = z
  .object({ task: TaskName, profile: ProfileId, generation: LastWrite.generation, created: z.boolean() })
  .openapi("ProfileWritten");

/**
 * Returns the parts of a profile to write, with its known labels in its label bias.
 *
 * @throws XpeftError `unknown_label` if the task lacks a known label; `invalid_label_bias`
 */
export function partsOf({ masks, labelBias, knownLabels }: z.infer<typeof ProfileBody>, task: Task): ProfileParts {
  const blob = labelBias ? fromBase64(labelBias) : null;
  if (!knownLabels) return { masks: fromBase64(masks), labelBias: blob };
  const known = findKnown(knownLabels, task.labels);
  return { masks: fromBase64(masks), labelBias: withKnown(blob, known, headShapeOf(task)) };
}

/** Returns a stored profile with what its label bias consists of. @throws XpeftError `invalid_label_bias` */
export async function profileDetails(profile: StoredProfile, task: Task): Promise<z.infer<typeof ProfileDetails>> {
  const { labelBias } = profile;
  const head = labelBias && readProfileHead(labelBias, headShapeOf(task));
  return {
    ...profileAnswer(profile),
    knownLabels: head?.known ? [...pickKnown(task.labels, head.known)] : null,
    headHash: (await profileTaskOf(task)).headHash,
    headChangeRank: head?.change.length ?? 0,
  };
}

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
