// The portal's two tabs.
import Box from "@cloudscape-design/components/box";
import Tabs from "@cloudscape-design/components/tabs";
import type { Portal } from "../lib/client";
import { useLoad } from "../lib/load";
import { href } from "../lib/route";
import { t } from "../lib/text";
import { Accounts, loadAccounts } from "./accounts";

export function Home({ portal, tab }: { portal: Portal; tab: "accounts" | "applications" }) {
  const accounts = useLoad(loadAccounts);
  return (
    <div className="wide">
      <h1>{t("portal.name")}</h1>
      <Tabs
        ariaLabel={t("portal.name")}
        activeTabId={tab}
        onChange={({ detail }) => {
          location.hash = href({ view: detail.activeTabId === "applications" ? "applications" : "accounts" });
        }}
        tabs={[
          { id: "accounts", label: t("portal.accounts"), content: <Accounts portal={portal} accounts={accounts} /> },
          { id: "applications", label: t("portal.applications"), content: <Applications /> },
        ]}
      />
    </div>
  );
}

function Applications() {
  return (
    <Box textAlign="center" padding="xxl">
      <Box variant="h2" fontSize="heading-m">
        {t("portal.applications.none.title")}
      </Box>
      <Box variant="p" color="text-body-secondary">
        {t("portal.applications.none")}
      </Box>
    </Box>
  );
}
