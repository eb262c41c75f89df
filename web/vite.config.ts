import path from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { finish } from "./build/finish.ts";
import { texts } from "./build/texts.ts";
import { theme } from "./build/theme.ts";

export default defineConfig({
  // The pages are below the address of the AWS access portal.
  base: "/start/",
  logLevel: "warn",
  plugins: [react(), texts(), theme(), finish({ first: 180_000, later: 60_000 })],
  // The server puts a nonce of its own into every page that it sends.
  html: { cspNonce: "__NONCE__" },
  build: {
    outDir: path.resolve(import.meta.dirname, "../internal/webui/built/web"),
    emptyOutDir: true,
    target: "es2022",
    manifest: "manifest.json",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  server: { host: "127.0.0.1" },
  test: { include: ["src/**/*.test.{ts,tsx}", "build/**/*.test.ts"] },
});
