/** A task's name. */
export const taskPattern = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** A profile's id, which only its owner interprets. */
export const profilePattern = /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/;

/** The name of a profile. */
export interface ProfileName {
  readonly task: string;
  readonly id: string;
}

/** Returns how messages name a profile. */
export const describeProfile = ({ id }: Pick<ProfileName, "id">): string => `Profile "${id}"`;
