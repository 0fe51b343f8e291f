import { conformance } from "./conformance.ts";

conformance("workerd");
