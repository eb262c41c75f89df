// Asks for what the portal shows first, while the rest of the program is still
// on its way. It stands alone: what it imports would have to come before it.
import type { Boot } from "./lib/client";

const post = (operation: string, input: object) =>
  fetch(`/portal/api/${operation}`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "X-Atrium-Csrf": document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "",
    },
    body: JSON.stringify(input),
    credentials: "same-origin",
    cache: "no-store",
    redirect: "error",
  });

const asked: Boot = { DescribePortal: post("DescribePortal", {}), ListPortalAccounts: post("ListPortalAccounts", { maxResults: 1000 }) };
// Whoever takes an answer learns of its failure; until then nobody is to blame.
for (const answer of Object.values(asked)) answer.catch(() => undefined);
(globalThis as { atriumBoot?: Boot }).atriumBoot = asked;
