import { serviceDelay } from "../api/service.ts";

/** Says in every view that the service is slow, away or failing, and that the page goes on by itself. */
export function ServiceBanner() {
  const delay = serviceDelay.value;
  return (
    <div id="service" class="banner" role="status">
      {delay?.kind === "slow" && "Waiting for the service. It takes longer than usual."}
      {delay?.kind === "away" && "The service cannot be reached. The page tries again by itself."}
      {delay?.kind === "failing" && `${delay.detail} The page tries again by itself.`}
    </div>
  );
}
