// The dialog with the AWS configuration for all accounts and roles.
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { configuration } from "../lib/client";
import { once, useLoad } from "../lib/load";
import { t } from "../lib/text";
import { Block } from "./copyable";
import { Failure } from "./failure";
import { Loading } from "./loading";

const load = () => once(configuration());

export default function Config({ close }: { close: () => void }) {
  const [loaded, again] = useLoad(load);
  return (
    <Modal
      visible
      size="large"
      header={t("portal.config.title")}
      closeAriaLabel={t("portal.close.dialog")}
      onDismiss={close}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button onClick={close}>{t("portal.close")}</Button>
            <Button variant="primary" iconName="download" disabled={loaded.state !== "done"} onClick={() => save(loaded.value ?? "")}>
              {t("portal.config.download")}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <p className="lead">{t("portal.config.help")}</p>
      {loaded.state === "failed" && <Failure error={loaded.error} again={again} />}
      {loaded.state === "loading" && <Loading />}
      {loaded.state === "done" && <Block label={t("portal.config.text")} text={loaded.value} />}
    </Modal>
  );
}

// save lets the browser keep a text as a file. Its name is that of the file it
// is for.
function save(text: string) {
  const address = URL.createObjectURL(new Blob([text], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = "config";
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
