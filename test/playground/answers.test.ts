import type { InferResponseType } from "hono/client";
import { expectTypeOf, it } from "vitest";
import type { Client, FanOutCounts, FanOutLine, LearnProgress, Learnt, Problem } from "../../client/index.ts";
import type * as pages from "../../playground/api/answers.ts";

type V1 = Client["v1"];

it("extends the types that the pages read (tsc checks this)", () => {
  type TaskPage = InferResponseType<V1["tasks"]["$get"], 200>;
  expectTypeOf<TaskPage["tasks"][number]>().toExtend<pages.Task>();
  expectTypeOf<InferResponseType<V1["profiles"][":task"][":profile"]["$get"], 200>>().toExtend<pages.Profile>();
  expectTypeOf<
    InferResponseType<V1["profiles"][":task"][":profile"]["history"]["$get"], 200>
  >().toExtend<pages.History>();
  expectTypeOf<InferResponseType<V1["predict"]["$post"], 200>>().toExtend<pages.Predictions>();
  expectTypeOf<InferResponseType<V1["info"]["$get"], 200>>().toExtend<pages.Info>();
  expectTypeOf<Problem>().toExtend<pages.Problem>();
  expectTypeOf<FanOutLine>().toExtend<pages.FanOutMember | pages.FanOutFailure>();
  expectTypeOf<FanOutCounts>().toExtend<pages.FanOutCounts>();
  expectTypeOf<LearnProgress>().toExtend<pages.LearnProgress>();
  expectTypeOf<Learnt>().toExtend<pages.Learnt>();
});
