import Box from "@cloudscape-design/components/box";
import Spinner from "@cloudscape-design/components/spinner";
import { t } from "../lib/text";

export function Loading() {
  return (
    <Box textAlign="center" padding="xxl" color="text-body-secondary">
      <Spinner /> {t("portal.loading")}
    </Box>
  );
}
