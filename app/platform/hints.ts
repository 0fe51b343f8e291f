/** What whoever runs the service can do about its faults. The words are the platform's own: where settings are, how a database is given. */
export interface PlatformHints {
  /** A setting that is invalid. */
  readonly setting: string;
  /** Signing keys that are invalid. */
  readonly secret: string;
  /** Signing keys that are missing. */
  readonly tokens: string;
  /** A bundle that needs ONNX Runtime, in a build without it. */
  readonly build: string;
  /** A query that failed. */
  readonly query: string;
  /** A query that waited too long for another program's lock. */
  readonly locked: string;
  /** A write for which there is no space. */
  readonly full: string;
  /** A database whose file is damaged, or none at all. */
  readonly damaged: string;
  /** A database that may only be read. */
  readonly readonly: string;
  /** A query that failed on one of several databases. */
  readonly shard: string;
  /** A service without a database. */
  readonly unbound: string;
  /** Databases in other places than the profiles were spread over. */
  readonly place: string;
  /** A database that is missing between others. */
  readonly gap: string;
  /** Files of the documentation that are not there. */
  readonly docs: string;
}
