// The dialog that gives a person a role's credentials, in three forms.
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Modal from "@cloudscape-design/components/modal";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import Tabs from "@cloudscape-design/components/tabs";
import { type ReactNode, useCallback, useState } from "react";
import type { AccessTexts, Account, Credentials, Portal } from "../lib/client";
import { accessTexts, credentials } from "../lib/client";
import { fill, settings } from "../lib/keys";
import { once, useLoad } from "../lib/load";
import { t } from "../lib/text";
import { Block, Value } from "./copyable";
import { Expiry } from "./expiry";
import { Failure } from "./failure";
import { Loading } from "./loading";

type Shell = "bash" | "powerShell" | "commandPrompt";

interface Props {
  portal: Portal;
  account: Pick<Account, "accountId" | "accountName">;
  role: string;
  close: () => void;
}

export default function AccessKeys(props: Props) {
  const { account, role, close } = props;
  const [form, setForm] = useState("sso");
  const [shell, setShell] = useState<Shell>(() => (/Windows/.test(navigator.userAgent) ? "powerShell" : "bash"));
  // Credentials are asked for when a form needs them, once for both.
  const [wanted, setWanted] = useState(false);
  const load = useCallback(() => once(credentials(account.accountId, role)), [account.accountId, role]);
  const keys = useLoad(wanted ? load : undefined);
  const [texts, again] = useLoad(useCallback(() => once(accessTexts(account.accountId, role)), [account.accountId, role]));
  const shells = (
    <SegmentedControl
      label={t("portal.keys.shell")}
      selectedId={shell}
      onChange={({ detail }) => setShell(detail.selectedId as Shell)}
      options={[
        { id: "bash", text: t("portal.keys.shell.bash") },
        { id: "powerShell", text: t("portal.keys.shell.powershell") },
        { id: "commandPrompt", text: t("portal.keys.shell.cmd") },
      ]}
    />
  );
  const forms = (texts: AccessTexts) => [
    {
      id: "sso",
      label: (
        <>
          {t("portal.keys.sso")} <span className="desk">{t("portal.keys.sso.recommended")}</span>
        </>
      ),
      content: (
        <>
          {shells}
          <ConfigureSSO portal={props.portal} texts={texts} settings={settings(texts[shell])} />
        </>
      ),
    },
    {
      id: "environment",
      label: t("portal.keys.environment"),
      content: (
        <>
          {shells}
          <WithKeys keys={keys}>
            {(keys) => (
              <>
                <p>{t("portal.keys.environment.help")}</p>
                <Block label={t("portal.keys.environment.text")} text={fill(texts[shell], keys)} />
              </>
            )}
          </WithKeys>
        </>
      ),
    },
    {
      id: "profile",
      label: t("portal.keys.profile"),
      content: (
        <WithKeys keys={keys}>
          {(keys) => (
            <>
              <p>{t("portal.keys.profile.help")}</p>
              <Block label={t("portal.keys.profile.text")} text={fill(texts.credentialsFile, keys)} />
              <h3>{t("portal.keys.values")}</h3>
              <dl className="values">
                <Value name={t("portal.keys.id")} value={keys.accessKeyId} />
                <Value name={t("portal.keys.secret")} value={keys.secretAccessKey} />
                <Value name={t("portal.keys.token")} value={keys.sessionToken} />
              </dl>
            </>
          )}
        </WithKeys>
      ),
    },
  ];
  return (
    <Modal
      visible
      size="large"
      header={t("portal.keys.title", { role })}
      closeAriaLabel={t("portal.close.dialog")}
      onDismiss={close}
      footer={
        <Box float="right">
          <Button onClick={close}>{t("portal.close")}</Button>
        </Box>
      }
    >
      <p className="lead">{t("portal.keys.account", { account: account.accountName, id: account.accountId })}</p>
      {texts.state === "failed" && <Failure error={texts.error} again={again} />}
      {texts.state === "loading" && <Loading />}
      {texts.state === "done" && (
        <Tabs
          activeTabId={form}
          onChange={({ detail }) => {
            setForm(detail.activeTabId);
            if (detail.activeTabId !== "sso") setWanted(true);
          }}
          ariaLabel={t("portal.keys.forms")}
          i18nStrings={{ scrollLeftAriaLabel: t("portal.scroll.left"), scrollRightAriaLabel: t("portal.scroll.right") }}
          tabs={forms(texts.value)}
        />
      )}
    </Modal>
  );
}

function ConfigureSSO({ portal, texts, settings }: { portal: Portal; texts: AccessTexts; settings: string }) {
  return (
    <>
      <p className="help">{t("portal.keys.sso.help")}</p>
      <ol className="steps">
        <li>
          <p>{t("portal.keys.sso.place")}</p>
          <Block label={t("portal.keys.sso.place.text")} text={settings} />
        </li>
        <li>
          <p>{t("portal.keys.sso.run")}</p>
          <Block label={t("portal.keys.sso.command")} text={`aws configure sso --profile ${texts.profileName}\n`} />
          <dl className="values">
            <Value name={t("portal.keys.sso.session")} value="atrium" />
            <Value name={t("portal.keys.sso.url")} value={portal.startUrl} />
            <Value name={t("portal.keys.sso.region")} value={portal.region} />
            <Value name={t("portal.keys.sso.scopes")} value="sso:account:access" />
          </dl>
        </li>
      </ol>
      <h3>{t("portal.keys.sso.instead")}</h3>
      <p>{t("portal.keys.sso.instead.help")}</p>
      <Block label={t("portal.keys.sso.config")} text={texts.configuration} />
      <Block label={t("portal.keys.sso.commands")} text={texts.commands} />
    </>
  );
}

// WithKeys shows what there is to see once the credentials are there.
function WithKeys({
  keys: [keys, again],
  children,
}: {
  keys: ReturnType<typeof useLoad<Credentials>>;
  children: (keys: Credentials) => ReactNode;
}) {
  if (keys.state === "failed") return <Failure error={keys.error} again={again} />;
  if (keys.state === "loading") return <Loading />;
  return (
    <>
      <Expiry until={keys.value.expiration} again={again} />
      {children(keys.value)}
    </>
  );
}
