// What a shortcut leads to: an account, a role in it, and a page.
import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { lazy, type ReactNode, Suspense, useCallback, useEffect, useState } from "react";
import type { Account, Portal } from "../lib/client";
import { ApiError, accounts, roles } from "../lib/client";
import { type Destination, judge } from "../lib/destination";
import { once, useLoad } from "../lib/load";
import { href, type Route } from "../lib/route";
import { t } from "../lib/text";
import { Failure } from "./failure";
import { Loading } from "./loading";

const AccessKeys = lazy(() => import("./access-keys"));

type Target = Extract<Route, { view: "console" }>;

// What a shortcut names, as far as the person has it.
interface Found {
  account: Account | undefined;
  roles: string[];
}

async function find(accountId: string): Promise<Found> {
  const names = await roles(accountId).catch((error) => {
    // An account that the person does not have.
    if (error instanceof ApiError && error.status < 500 && error.status !== 429) return [];
    throw error;
  });
  if (names.length === 0) return { account: undefined, roles: [] };
  for await (const page of accounts()) {
    const account = page.find((a) => a.accountId === accountId);
    if (account) return { account, roles: names };
  }
  return { account: undefined, roles: [] };
}

export default function Console({ portal, accountId, roleName, destination }: Target & { portal: Portal }) {
  const load = useCallback(() => once(find(accountId)), [accountId]);
  const [loaded, again] = useLoad(load);
  if (!/^\d{12}$/.test(accountId)) return <Notice title={t("portal.console.bad.title")}>{t("portal.console.bad")}</Notice>;
  if (loaded.state === "failed") return <Failure error={loaded.error} again={again} />;
  if (loaded.state === "loading") return <Loading />;
  const { account, roles } = loaded.value;
  const missing = roleName !== "" && !roles.includes(roleName);
  if (account === undefined || missing) {
    const what =
      roleName === "" ? t("portal.console.none", { id: accountId }) : t("portal.console.none.role", { role: roleName, id: accountId });
    const whom = portal.contact ? t("portal.console.ask.contact", { contact: portal.contact }) : t("portal.console.ask");
    return (
      <Notice title={t("portal.console.none.title")}>
        {what} {whom}
      </Notice>
    );
  }
  if (roleName === "") return <ChooseRole account={account} roles={roles} destination={destination} />;
  if (destination === "") return <Role portal={portal} account={account} role={roleName} />;
  return <Leave to={judge(destination, location.origin, portal.destinations)} account={account} role={roleName} />;
}

function Notice({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="wide">
      <Container>
        <h1>{title}</h1>
        <p className="lead">{children}</p>
        <Button href={href({ view: "accounts" })}>{t("portal.console.accounts")}</Button>
      </Container>
    </div>
  );
}

function ChooseRole({ account, roles, destination }: { account: Account; roles: string[]; destination: string }) {
  return (
    <div className="wide">
      <Container>
        <h1>{t("portal.console.choose")}</h1>
        <p className="lead">{t("portal.keys.account", { account: account.accountName, id: account.accountId })}</p>
        <ul className="roles">
          {roles.map((role) => (
            <li key={role}>
              <a className="role" href={href({ view: "console", accountId: account.accountId, roleName: role, destination })}>
                {role}
              </a>
            </li>
          ))}
        </ul>
      </Container>
    </div>
  );
}

// Role is what there is to see of a role without a destination. Atrium has no
// management console that it could open.
function Role({ portal, account, role }: { portal: Portal; account: Account; role: string }) {
  const [open, setOpen] = useState(false);
  return (
    <div className="wide">
      <Container>
        <SpaceBetween size="m">
          <div>
            <h1>{role}</h1>
            <p className="lead">{t("portal.keys.account", { account: account.accountName, id: account.accountId })}</p>
          </div>
          <Alert type="info" statusIconAriaLabel={t("portal.info")}>
            {t("portal.console.no")}
          </Alert>
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="primary" onClick={() => setOpen(true)}>
              {t("portal.keys")}
            </Button>
            <Button href={href({ view: "accounts" })}>{t("portal.console.accounts")}</Button>
          </SpaceBetween>
        </SpaceBetween>
      </Container>
      <Suspense fallback={null}>
        {open && <AccessKeys portal={portal} account={account} role={role} close={() => setOpen(false)} />}
      </Suspense>
    </div>
  );
}

function Leave({ to, account, role }: { to: Destination; account: Account; role: string }) {
  const address = to.kind === "own" || to.kind === "listed" ? to.address : undefined;
  useEffect(() => {
    if (address !== undefined) location.replace(address);
  }, [address]);
  if (to.kind === "refused") return <Notice title={t("portal.console.refused.title")}>{t("portal.console.refused")}</Notice>;
  if (to.kind !== "elsewhere") return <Loading />;
  return (
    <div className="wide">
      <Container>
        <SpaceBetween size="m">
          <h1>{t("portal.console.leave.title", { host: to.host })}</h1>
          <p>{t("portal.console.leave", { role, account: account.accountName })}</p>
          <p className="host">
            <strong>{to.host}</strong>
            <small>{to.address}</small>
          </p>
          <p>{t("portal.console.leave.care")}</p>
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="primary" href={href({ view: "accounts" })}>
              {t("portal.console.leave.stay")}
            </Button>
            <Button href={to.address} rel="noreferrer">
              {t("portal.console.leave.go", { host: to.host })}
            </Button>
          </SpaceBetween>
        </SpaceBetween>
      </Container>
    </div>
  );
}
