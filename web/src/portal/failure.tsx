// What is shown when something could not be loaded, and what to do about it.
import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import { Component, type ReactNode } from "react";
import { ApiError, ConnectionError, SignedOutError, StalePageError } from "../lib/client";
import { type Key, t } from "../lib/text";

// What is said of an error of the server, by its code. The messages of errors
// are for programs.
const refusals: Record<string, Key> = {
  TooManyRequestsException: "portal.refused.wait",
  ResourceNotFoundException: "portal.refused.gone",
  ForbiddenException: "portal.refused.denied",
};

export function Failure({ error, again }: { error: unknown; again: () => void }) {
  if (error instanceof SignedOutError) {
    return (
      <Alert
        type="info"
        header={t("portal.ended.title")}
        action={<Button href={`/signin?to=%2Fstart${location.hash}`}>{t("portal.ended.signin")}</Button>}
      >
        {t("portal.ended.text")}
      </Alert>
    );
  }
  if (error instanceof StalePageError) {
    return (
      <Alert
        type="info"
        header={t("portal.stale.title")}
        action={<Button onClick={() => location.reload()}>{t("portal.stale.reload")}</Button>}
      >
        {t("portal.stale.text")}
      </Alert>
    );
  }
  const [title, text] =
    error instanceof ConnectionError
      ? [t("portal.lost.title"), t("portal.lost.text")]
      : [t("portal.refused.title"), t(refusals[error instanceof ApiError ? error.code : ""] ?? "portal.refused.text")];
  return (
    <Alert
      type="error"
      statusIconAriaLabel={t("portal.error")}
      header={title}
      action={<Button onClick={again}>{t("portal.retry")}</Button>}
    >
      {text}
    </Alert>
  );
}

// Boundary catches what breaks while a view is drawn: most likely a part of
// the program that could not be fetched.
export class Boundary extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  override render() {
    if (!this.state.broken) return this.props.children;
    return (
      <Alert
        type="error"
        statusIconAriaLabel={t("portal.error")}
        header={t("portal.lost.title")}
        action={<Button onClick={() => location.reload()}>{t("portal.stale.reload")}</Button>}
      >
        {t("portal.broken.text")}
      </Alert>
    );
  }
}
