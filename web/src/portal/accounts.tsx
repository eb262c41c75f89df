// The accounts that a person may use, and the roles in them.
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import TextFilter from "@cloudscape-design/components/text-filter";
import { lazy, Suspense, useCallback, useDeferredValue, useEffect, useState } from "react";
import type { Account, Portal } from "../lib/client";
import { accounts, roles } from "../lib/client";
import { type Loaded, once, useLoad } from "../lib/load";
import { search } from "../lib/search";
import { t } from "../lib/text";
import { Failure } from "./failure";

const keysDialog = () => import("./access-keys");
const shortcutDialog = () => import("./shortcut");
const configDialog = () => import("./config");
const AccessKeys = lazy(keysDialog);
const Shortcut = lazy(shortcutDialog);
const Config = lazy(configDialog);

// How many accounts are drawn at first, and with every "Show more".
const portion = 50;

const { compare } = new Intl.Collator("en", { numeric: true });
const byName = (a: Account, b: Account) => compare(a.accountName, b.accountName) || compare(a.accountId, b.accountId);

export async function* loadAccounts() {
  const all: Account[] = [];
  for await (const page of accounts()) {
    all.push(...page);
    yield [...all].sort(byName);
  }
}

type Dialog = { name: "keys"; account: Account; role: string } | { name: "shortcut" } | { name: "config" };

export function Accounts({ portal, accounts: [loaded, again] }: { portal: Portal; accounts: [Loaded<Account[]>, again: () => void] }) {
  const [text, setText] = useState("");
  const [shown, setShown] = useState(portion);
  const [dialog, setDialog] = useState<Dialog>();
  const wanted = useDeferredValue(text);
  useLaterParts(loaded.state === "done");
  const all = loaded.value ?? [];
  const found = search(all, wanted);
  const close = () => setDialog(undefined);
  return (
    <>
      {loaded.state === "failed" && <Failure error={loaded.error} again={again} />}
      {loaded.state === "done" && all.length === 0 && <NoAccounts portal={portal} />}
      {all.length > 0 && (
        <div className="accounts-bar">
          <TextFilter
            filteringText={text}
            filteringPlaceholder={t("portal.accounts.search")}
            filteringAriaLabel={t("portal.accounts.search")}
            filteringClearAriaLabel={t("portal.accounts.search.clear")}
            countText={
              text === "" ? "" : t(found.length === 1 ? "portal.accounts.match" : "portal.accounts.matches", { count: found.length })
            }
            onChange={({ detail }) => {
              setText(detail.filteringText);
              setShown(portion);
            }}
          />
          <div className="accounts-actions">
            <Button fullWidth onClick={() => setDialog({ name: "shortcut" })}>
              {t("portal.shortcut.title")}
            </Button>
            <Button fullWidth onClick={() => setDialog({ name: "config" })}>
              {t("portal.config.title")}
            </Button>
          </div>
        </div>
      )}
      <ul className="accounts" aria-label={t("portal.accounts")} aria-busy={loaded.state === "loading"}>
        {found.slice(0, shown).map((account) => (
          <li key={account.accountId}>
            <AccountSection account={account} open={all.length === 1} choose={(role) => setDialog({ name: "keys", account, role })} />
          </li>
        ))}
      </ul>
      {all.length > 0 && found.length === 0 && (
        <Box textAlign="center" padding="l" color="text-body-secondary">
          {t("portal.accounts.nomatch", { text: wanted })}
        </Box>
      )}
      {found.length > shown && (
        <Box textAlign="center" padding="m">
          <Button onClick={() => setShown(shown + portion)}>{t("portal.accounts.more", { count: found.length - shown })}</Button>
        </Box>
      )}
      <Suspense fallback={null}>
        {dialog?.name === "keys" && <AccessKeys portal={portal} account={dialog.account} role={dialog.role} close={close} />}
        {dialog?.name === "shortcut" && <Shortcut portal={portal} accounts={all} close={close} />}
        {dialog?.name === "config" && <Config close={close} />}
      </Suspense>
    </>
  );
}

// useLaterParts fetches the dialogs once there is nothing better to do: so they
// open at once, and without a connection.
function useLaterParts(ready: boolean) {
  useEffect(() => {
    if (!ready) return;
    const timer = setTimeout(() => {
      for (const part of [keysDialog, shortcutDialog, configDialog]) part().catch(() => undefined);
    }, 1500);
    return () => clearTimeout(timer);
  }, [ready]);
}

function AccountSection({ account, open, choose }: { account: Account; open: boolean; choose: (role: string) => void }) {
  const [expanded, setExpanded] = useState(open);
  return (
    <div className={`account colour-${account.color}`}>
      <ExpandableSection
        variant="container"
        headingTagOverride="h2"
        headerText={
          <span className="account-name">
            {account.accountName}
            {account.label && <span className="label">{account.label}</span>}
          </span>
        }
        headerDescription={`${account.accountId} · ${account.emailAddress}`}
        expanded={expanded}
        onChange={({ detail }) => setExpanded(detail.expanded)}
      >
        {expanded && <Roles account={account} choose={choose} />}
      </ExpandableSection>
    </div>
  );
}

function Roles({ account, choose }: { account: Account; choose: (role: string) => void }) {
  const [loaded, again] = useLoad(useCallback(() => once(roles(account.accountId)), [account.accountId]));
  if (loaded.state === "failed") return <Failure error={loaded.error} again={again} />;
  if (loaded.state === "loading") return <Box color="text-body-secondary">{t("portal.loading")}</Box>;
  return (
    <ul className="roles">
      {loaded.value.map((role) => (
        <li key={role}>
          <span className="role">{role}</span>
          <Button
            iconName="key"
            variant="inline-link"
            ariaLabel={t("portal.keys.for", { role, account: account.accountName })}
            onClick={() => choose(role)}
          >
            {t("portal.keys")}
          </Button>
        </li>
      ))}
    </ul>
  );
}

function NoAccounts({ portal }: { portal: Portal }) {
  return (
    <Box textAlign="center" padding="xxl">
      <Box variant="h2" fontSize="heading-m">
        {t("portal.accounts.none.title")}
      </Box>
      <Box variant="p" color="text-body-secondary">
        {portal.contact ? t("portal.accounts.none.contact", { contact: portal.contact }) : t("portal.accounts.none")}
      </Box>
    </Box>
  );
}
