// The dialog that makes a link to an account, a role in it and a page.
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Modal from "@cloudscape-design/components/modal";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useCallback, useState } from "react";
import type { Account, Portal } from "../lib/client";
import { roles } from "../lib/client";
import { judge } from "../lib/destination";
import { once, useLoad } from "../lib/load";
import { href } from "../lib/route";
import { t } from "../lib/text";
import { Block } from "./copyable";
import { Failure } from "./failure";

export default function Shortcut({ accounts, portal, close }: { accounts: readonly Account[]; portal: Portal; close: () => void }) {
  const [accountId, setAccountId] = useState(accounts.length === 1 ? accounts[0]?.accountId : undefined);
  const [role, setRole] = useState<string>();
  const [destination, setDestination] = useState("");
  const [loaded, again] = useLoad(useCallback(() => once(accountId ? roles(accountId) : Promise.resolve([])), [accountId]));
  const options = accounts.map((a) => ({ value: a.accountId, label: a.accountName, description: a.accountId }));
  const names = (loaded.value ?? []).map((name) => ({ value: name, label: name }));
  const judged = destination === "" ? undefined : judge(destination, location.origin, portal.destinations);
  const ready = accountId && judged?.kind !== "refused";
  const link = ready && `${location.origin}/start/${href({ view: "console", accountId, roleName: role ?? "", destination })}`;
  return (
    <Modal
      visible
      size="medium"
      header={t("portal.shortcut.title")}
      closeAriaLabel={t("portal.close.dialog")}
      onDismiss={close}
      footer={
        <Box float="right">
          <Button onClick={close}>{t("portal.close")}</Button>
        </Box>
      }
    >
      <SpaceBetween size="l">
        <p className="lead">{t("portal.shortcut.help")}</p>
        <FormField label={t("portal.shortcut.account")}>
          <Select
            selectedOption={options.find((o) => o.value === accountId) ?? null}
            options={options}
            filteringType={options.length > 8 ? "auto" : "none"}
            filteringAriaLabel={t("portal.accounts.search")}
            placeholder={t("portal.shortcut.account.choose")}
            selectedAriaLabel={t("portal.selected")}
            onChange={({ detail }) => {
              setAccountId(detail.selectedOption.value);
              setRole(undefined);
            }}
          />
        </FormField>
        <FormField label={t("portal.shortcut.role")} description={t("portal.shortcut.role.help")}>
          <Select
            selectedOption={names.find((o) => o.value === role) ?? null}
            options={names}
            disabled={!accountId}
            statusType={loaded.state === "loading" ? "loading" : "finished"}
            loadingText={t("portal.loading")}
            placeholder={t("portal.shortcut.role.any")}
            selectedAriaLabel={t("portal.selected")}
            onChange={({ detail }) => setRole(detail.selectedOption.value)}
          />
        </FormField>
        {loaded.state === "failed" && <Failure error={loaded.error} again={again} />}
        <FormField
          label={t("portal.shortcut.destination")}
          description={t("portal.shortcut.destination.help")}
          errorText={judged?.kind === "refused" ? t("portal.shortcut.destination.bad") : ""}
          warningText={judged?.kind === "elsewhere" ? t("portal.shortcut.destination.elsewhere", { host: judged.host }) : ""}
          i18nStrings={{ errorIconAriaLabel: t("portal.error"), warningIconAriaLabel: t("portal.warning") }}
        >
          <Input
            value={destination}
            inputMode="url"
            placeholder="https://"
            spellcheck={false}
            onChange={({ detail }) => setDestination(detail.value.trim())}
          />
        </FormField>
        {link && <Block label={t("portal.shortcut.link")} text={link} />}
      </SpaceBetween>
    </Modal>
  );
}
