// How long credentials last.
import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import { useEffect, useState } from "react";
import { now } from "../lib/client";
import { remaining } from "../lib/keys";
import { t } from "../lib/text";

// When to say that it is time for new ones, in milliseconds.
const soon = 10 * 60_000;

export function Expiry({ until, again }: { until: number; again: () => void }) {
  const [at, setAt] = useState(now);
  useEffect(() => {
    const timer = setInterval(() => setAt(now()), 1000);
    return () => clearInterval(timer);
  }, []);
  if (at >= until) {
    return (
      <Alert type="warning" statusIconAriaLabel={t("portal.warning")} action={<Button onClick={again}>{t("portal.keys.again")}</Button>}>
        {t("portal.keys.expired")}
      </Alert>
    );
  }
  const { hours, minutes, seconds } = remaining(until, at);
  const two = (n: number) => String(n).padStart(2, "0");
  return (
    <p className={until - at < soon ? "expiry expiry-soon" : "expiry"} role="timer">
      {hours > 0
        ? t("portal.keys.expires.hours", { hours, minutes: two(minutes), seconds: two(seconds) })
        : t("portal.keys.expires.minutes", { minutes, seconds: two(seconds) })}
    </p>
  );
}
