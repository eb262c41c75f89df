// The portal's views have addresses behind the #, like those of AWS's own
// portal, so that shortcuts look the same.
import { useSyncExternalStore } from "react";

export type Route =
  | { view: "accounts" }
  | { view: "applications" }
  | { view: "profile" }
  | { view: "console"; accountId: string; roleName: string; destination: string };

export function parse(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const q = new URLSearchParams(query);
  switch (path.replace(/\/+$/, "")) {
    case "console":
      return {
        view: "console",
        accountId: q.get("account_id") ?? "",
        roleName: q.get("role_name") ?? "",
        destination: q.get("destination") ?? "",
      };
    case "profile":
      return { view: "profile" };
    default:
      return q.get("tab") === "applications" ? { view: "applications" } : { view: "accounts" };
  }
}

export function href(route: Route): string {
  switch (route.view) {
    case "accounts":
      return "#/?tab=accounts";
    case "applications":
      return "#/?tab=applications";
    case "profile":
      return "#/profile";
    case "console": {
      const q = new URLSearchParams({ account_id: route.accountId });
      if (route.roleName !== "") q.set("role_name", route.roleName);
      if (route.destination !== "") q.set("destination", route.destination);
      return `#/console?${q}`;
    }
  }
}

function subscribe(changed: () => void): () => void {
  addEventListener("hashchange", changed);
  return () => removeEventListener("hashchange", changed);
}

// useHash is the part of the address behind the #. It changes without the page
// being loaded anew.
export function useHash(): string {
  return useSyncExternalStore(subscribe, () => location.hash);
}
