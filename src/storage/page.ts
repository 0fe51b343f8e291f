/** Which part of a list is wanted. */
export interface ListQuery {
  /** How many at most, from 1. */
  readonly limit: number;
  /** The last name of the page before; empty for the first page. */
  readonly after: string;
}

/** A part of a list. */
export interface ListPage<Item> {
  readonly items: Item[];
  /** What the next page is asked for with; null on the last one. */
  readonly next: string | null;
}
