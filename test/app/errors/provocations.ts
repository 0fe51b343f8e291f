import type { ProblemCode } from "../../../app/http/problem-codes.ts";
import { accessProvocations } from "./access.ts";
import { faultProvocations } from "./faults.ts";
import type { Provocation } from "./fixture.ts";
import { learnProvocations } from "./learn.ts";
import { requestProvocations } from "./requests.ts";
import { rowProvocations } from "./rows.ts";
import { shardProvocations } from "./shards.ts";
import { tokenProvocations } from "./tokens.ts";

/** How to provoke each problem. A code without a provocation does not compile. */
export const provocations: Record<ProblemCode, Provocation> = {
  ...requestProvocations,
  ...accessProvocations,
  ...tokenProvocations,
  ...rowProvocations,
  ...shardProvocations,
  ...learnProvocations,
  ...faultProvocations,
};
