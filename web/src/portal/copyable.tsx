// Text that people copy.
import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import { t } from "../lib/text";

// Block is a text of several lines.
export function Block({ label, text }: { label: string; text: string }) {
  return (
    <div className="block">
      <section className="block-text" aria-label={label}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
        <pre tabIndex={0}>{text}</pre>
      </section>
      <CopyToClipboard
        copyButtonText={t("portal.copy")}
        copyButtonAriaLabel={t("portal.copy.what", { what: label })}
        copySuccessText={t("portal.copied")}
        copyErrorText={t("portal.copy.failed")}
        textToCopy={text}
      />
    </div>
  );
}

// Value is one value with its name.
export function Value({ name, value }: { name: string; value: string }) {
  return (
    <div className="value">
      <dt>{name}</dt>
      <dd>
        <code>{value}</code>
        <CopyToClipboard
          variant="icon"
          copyButtonAriaLabel={t("portal.copy.what", { what: name })}
          copySuccessText={t("portal.copied")}
          copyErrorText={t("portal.copy.failed")}
          textToCopy={value}
        />
      </dd>
    </div>
  );
}
