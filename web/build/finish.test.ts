import { expect, test } from "vitest";
import { measure } from "./finish";

test("what is loaded first counts once, what comes later counts what it adds", () => {
  const manifest = {
    "index.html": { file: "index.js", isEntry: true, imports: ["_shared.js"], dynamicImports: ["dialog.tsx"], css: ["index.css"] },
    "boot.ts": { file: "boot.js", isEntry: true, name: "boot" },
    "_shared.js": { file: "shared.js", css: ["shared.css"] },
    "dialog.tsx": { file: "dialog.js", isDynamicEntry: true, name: "dialog", imports: ["_shared.js", "_more.js"], css: ["dialog.css"] },
    "_more.js": { file: "more.js", imports: ["_shared.js", "_more.js"] },
  };
  const sizes = new Map(
    ["index.js", "index.css", "boot.js", "shared.js", "shared.css", "dialog.js", "dialog.css", "more.js"].map((name, i) => [name, 10 ** i]),
  );
  expect(measure(manifest, sizes)).toEqual({ first: 11111, dialog: 11100000 });
});
