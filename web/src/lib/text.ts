// Every word that the portal shows comes from the catalogue that it shares
// with the server's pages.
import texts from "virtual:texts";
import type catalogue from "../../../internal/text/en.json";

export type Key = Extract<keyof typeof catalogue, `portal.${string}`>;

// t is a text with its places, written {name}, filled.
export function t(key: Key, places: Record<string, string | number> = {}): string {
  return (texts[key] ?? key).replace(/{([a-z]+)}/g, (place, name: string) => String(places[name] ?? place));
}
