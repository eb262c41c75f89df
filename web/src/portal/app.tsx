// The frame of the portal, and which view is in it.
import { lazy, type ReactNode, Suspense, useEffect, useRef, useState } from "react";
import type { Portal } from "../lib/client";
import { describePortal, whenOver } from "../lib/client";
import { once, useLoad } from "../lib/load";
import { href, parse, type Route, useHash } from "../lib/route";
import { t } from "../lib/text";
import { Boundary, Failure } from "./failure";
import { Home } from "./home";
import { Loading } from "./loading";

const Console = lazy(() => import("./console"));
const Profile = lazy(() => import("./profile"));

// The views that are tabs of one.
const tabs = ["accounts", "applications"];

const loadPortal = () => once(describePortal());

export function App() {
  const [portal, again] = useLoad(loadPortal);
  const [over, setOver] = useState<Error>();
  const until = portal.value?.sessionExpiration;
  useEffect(() => whenOver(until, setOver), [until]);
  const hash = useHash();
  const route = parse(hash);
  useFocusOnChange(route.view);
  // Nothing of a session that is over is shown any more.
  if (over) return <Over error={over} />;
  return (
    <>
      {/* biome-ignore lint/a11y/useValidAnchor: it leads to a place of this page, without changing the view's address */}
      <a className="skip" href="#content" onClick={toContent}>
        {t("portal.skip")}
      </a>
      <Top portal={portal.value} />
      <main id="content" tabIndex={-1}>
        <Boundary key={tabs.includes(route.view) ? "" : hash}>
          {portal.state === "failed" && <Failure error={portal.error} again={again} />}
          {portal.state === "loading" && <Loading />}
          {portal.state === "done" && (
            <Suspense fallback={<Loading />}>
              <View route={route} portal={portal.value} />
            </Suspense>
          )}
        </Boundary>
      </main>
      <footer className="foot">
        <span>{t("portal.name")}</span>
        {portal.value && <span>{t("portal.foot", { store: portal.value.instance.identityStoreId, region: portal.value.region })}</span>}
      </footer>
    </>
  );
}

function Over({ error }: { error: Error }) {
  return (
    <>
      <header className="top">
        <span className="brand">
          <Logo />
          <span>{t("portal.product")}</span>
        </span>
      </header>
      <main id="content" tabIndex={-1}>
        <div className="wide">
          <h1>{t("portal.name")}</h1>
          <Failure error={error} again={() => location.reload()} />
        </div>
      </main>
    </>
  );
}

function View({ route, portal }: { route: Route; portal: Portal }): ReactNode {
  switch (route.view) {
    case "console":
      return <Console portal={portal} {...route} />;
    case "profile":
      return <Profile portal={portal} />;
    default:
      return <Home portal={portal} tab={route.view} />;
  }
}

function Top({ portal }: { portal?: Portal | undefined }) {
  const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
  return (
    <header className="top">
      <a className="brand" href={href({ view: "accounts" })} aria-label={t("portal.home")}>
        <Logo />
        <span>{t("portal.product")}</span>
      </a>
      <div className="corner">
        {portal && (
          <a className="quiet" href={href({ view: "profile" })} title={t("portal.profile.title")}>
            {portal.user.displayName}
          </a>
        )}
        <form method="post" action="/signin/out">
          <input type="hidden" name="csrf" value={token} />
          <button type="submit" className="quiet">
            {t("portal.signout")}
          </button>
        </form>
      </div>
    </header>
  );
}

function Logo() {
  return (
    <svg className="logo" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" className="logo-ground" />
      <path d="M7 26V15a9 9 0 0 1 18 0v11h-4.5V15a4.500 4.500 0 0 0-9 0v11z" className="logo-arch" />
      <circle cx="16" cy="15.500" r="2" className="logo-light" />
    </svg>
  );
}

function toContent(event: { preventDefault(): void }) {
  // The address behind the # is the view's.
  event.preventDefault();
  document.getElementById("content")?.focus();
}

// useFocusOnChange moves the focus to a view that has replaced another one, so
// that keyboards and screen readers follow.
function useFocusOnChange(view: string) {
  const last = useRef(view);
  useEffect(() => {
    if (last.current === view) return;
    if (!(tabs.includes(view) && tabs.includes(last.current))) document.getElementById("content")?.focus();
    last.current = view;
  }, [view]);
}
