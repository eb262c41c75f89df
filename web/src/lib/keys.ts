// The texts of the access keys dialog. The server writes them, for each shell
// as it quotes, with places for the credentials, which only the browser has.
import type { Credentials } from "./client";

// The alphabet of credentials. Nothing in it means anything to a shell between
// the quotes that the texts have, nor to a configuration file.
const alphabet = /^[A-Za-z0-9+/=_-]+$/;

export function fill(text: string, keys: Credentials): string {
  const values: Record<string, string> = {
    "{accessKeyId}": keys.accessKeyId,
    "{secretAccessKey}": keys.secretAccessKey,
    "{sessionToken}": keys.sessionToken,
  };
  return text.replace(/{(?:accessKeyId|secretAccessKey|sessionToken)}/g, (place) => {
    const value = values[place] ?? "";
    if (!alphabet.test(value)) throw new Error("these credentials cannot be pasted safely");
    return value;
  });
}

// settings are the lines of a text that are not about credentials: where the
// services are, and the region.
export function settings(text: string): string {
  return text
    .split("\n")
    .filter((line) => !line.includes("{"))
    .join("\n");
}

// remaining is the time until something, in whole units.
export function remaining(until: number, now: number): { hours: number; minutes: number; seconds: number } {
  const seconds = Math.max(0, Math.floor((until - now) / 1000));
  return { hours: Math.floor(seconds / 3600), minutes: Math.floor(seconds / 60) % 60, seconds: seconds % 60 };
}
