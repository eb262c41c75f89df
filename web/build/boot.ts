// src/boot.ts asks for the first data while everything else is still on its
// way. So it is a file of its own, and the first that a page names.
import type { Plugin } from "vite";

export function boot(): Plugin {
  return {
    name: "atrium-boot",
    transformIndexHtml: {
      order: "post",
      handler(html, { bundle, server }) {
        const file = server ? "/src/boot.ts" : Object.values(bundle ?? {}).find((c) => c.type === "chunk" && c.name === "boot")?.fileName;
        if (file === undefined) throw new Error("there is no boot script");
        const src = server ? file : `/start/${file}`;
        return html.replace("</title>", `</title>\n    <script type="module" nonce="__NONCE__" src="${src}"></script>`);
      },
    },
  };
}
