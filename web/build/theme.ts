// Atrium's colours, as values of Cloudscape's design tokens. They are written
// as plain CSS when the application is built, so that no style is made at run
// time. A token that this version of Cloudscape does not have stops the build.
import { createRequire } from "node:module";
import type { Plugin } from "vite";

const id = "virtual:theme.css";

type Value = string | { light: string; dark: string };

const accent = { light: "#0e5a54", dark: "#84d8c8" };
const strong = { light: "#0a4540", dark: "#a5e6d9" };
const wash = { light: "#eaf1ee", dark: "#1d2e31" };
const card = { light: "#fffefb", dark: "#172225" };
const ink = { light: "#1b2829", dark: "#e9edeb" };
const muted = { light: "#52605e", dark: "#a9b6b3" };
const line = { light: "#d8d4c8", dark: "#2f3e42" };
const field = { light: "#7c8784", dark: "#7f8f8c" };
const onAccent = { light: "#ffffff", dark: "#06302b" };

const sans = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';

const tokens: Record<string, Value> = {
  fontFamilyBase: sans,
  fontFamilyHeading: sans,
  fontFamilyDisplay: sans,
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace',
  colorBackgroundLayoutMain: { light: "#f2f0ea", dark: "#0f1719" },
  colorBackgroundContainerContent: card,
  colorBackgroundContainerHeader: card,
  colorBackgroundInputDefault: card,
  colorBackgroundDropdownItemDefault: card,
  colorBackgroundDropdownItemHover: wash,
  colorBackgroundControlChecked: accent,
  colorBackgroundButtonPrimaryDefault: accent,
  colorBackgroundButtonPrimaryHover: strong,
  colorBackgroundButtonPrimaryActive: strong,
  colorTextButtonPrimaryDefault: onAccent,
  colorTextButtonPrimaryHover: onAccent,
  colorTextButtonPrimaryActive: onAccent,
  colorBackgroundButtonNormalDefault: card,
  colorBackgroundButtonNormalHover: wash,
  colorBackgroundButtonNormalActive: wash,
  colorBorderButtonNormalDefault: accent,
  colorBorderButtonNormalHover: strong,
  colorBorderButtonNormalActive: strong,
  colorTextButtonNormalDefault: accent,
  colorTextButtonNormalHover: strong,
  colorTextButtonNormalActive: strong,
  colorTextButtonLinkDefault: accent,
  colorTextButtonLinkHover: strong,
  colorBackgroundButtonLinkHover: wash,
  colorTextLinkButtonNormalDefault: accent,
  colorTextLinkButtonNormalHover: strong,
  colorTextLinkButtonNormalActive: strong,
  colorTextButtonInlineIconDefault: accent,
  colorTextButtonInlineIconHover: strong,
  colorTextLinkDefault: accent,
  colorTextLinkHover: strong,
  colorTextAccent: accent,
  colorBorderItemFocused: accent,
  colorBorderItemSelected: accent,
  colorBorderTabsUnderline: accent,
  colorBackgroundLayoutToggleSelectedDefault: accent,
  colorBackgroundSegmentActive: accent,
  colorTextSegmentActive: onAccent,
  colorTextSegmentHover: strong,
  colorBackgroundDropdownItemSelected: wash,
  colorBorderDropdownItemSelected: accent,
  colorBorderDropdownItemFocused: accent,
  colorTextBodyDefault: ink,
  colorTextBodySecondary: muted,
  colorTextHeadingDefault: ink,
  colorTextFormSecondary: muted,
  colorBorderDividerDefault: line,
  colorBorderInputDefault: field,
  colorBorderInputFocused: accent,
  spaceButtonHorizontal: "16px",
  borderRadiusContainer: "14px",
  borderRadiusButton: "10px",
  borderRadiusInput: "10px",
  borderRadiusDialog: "16px",
};

export function theme(): Plugin {
  return {
    name: "atrium-theme",
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    load: (source) => (source === `\0${id}` ? stylesheet() : undefined),
  };
}

function stylesheet(): string {
  const require = createRequire(import.meta.url);
  // The package does not export its presets by name.
  const path = require
    .resolve("@cloudscape-design/components/package.json")
    .replace("package.json", "internal/generated/theming/index.cjs");
  const { preset } = require(path) as { preset: { propertiesMap: Record<string, string> } };
  const css = (mode: "light" | "dark") =>
    Object.entries(tokens)
      .map(([token, value]) => {
        const property = preset.propertiesMap[token];
        if (property === undefined) throw new Error(`Cloudscape has no design token ${token}`);
        return `${property}:${typeof value === "string" ? value : value[mode]}`;
      })
      .join(";");
  return `body.atrium{${css("light")}}body.atrium.awsui-dark-mode{${css("dark")}}`;
}
