/** A task's name. */
export const taskPattern = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** A profile's id, opaque to all but its owner. */
export const profilePattern = /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/;

/** Which profile. */
export interface ProfileName {
  readonly task: string;
  readonly id: string;
}

/** A profile in a message. */
export const describeProfile = ({ id }: ProfileName): string => `Profile "${id}"`;
