// The catalogue of texts is shared with the server's own pages; the bundle gets
// the part that is the portal's.
import fs from "node:fs";
import path from "node:path";
import type { Plugin } from "vite";

const catalogue = path.resolve(import.meta.dirname, "../../internal/text/en.json");
const id = "virtual:texts";

export function portalTexts(): Record<string, string> {
  const all = JSON.parse(fs.readFileSync(catalogue, "utf8")) as Record<string, string>;
  return Object.fromEntries(Object.entries(all).filter(([key]) => key.startsWith("portal.")));
}

export function texts(): Plugin {
  return {
    name: "atrium-texts",
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    load(source) {
      if (source !== `\0${id}`) return undefined;
      this.addWatchFile(catalogue);
      return `export default ${JSON.stringify(portalTexts())}`;
    },
    transformIndexHtml: (html) =>
      html.replace(/{{t "(portal\.[A-Za-z.]+)"}}/g, (_, key: string) => {
        const text = portalTexts()[key];
        if (text === undefined) throw new Error(`the catalogue has no ${key}`);
        return text;
      }),
  };
}
