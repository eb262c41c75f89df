// Where a shortcut may lead. Links are made by anybody, so what they name is
// judged anew by whoever opens them.

export type Destination =
  // A page of this server.
  | { kind: "own"; address: string }
  // A host that the administrator lists: people are sent there at once.
  | { kind: "listed"; address: string; host: string }
  // Any other host: people are asked first, and see its name.
  | { kind: "elsewhere"; address: string; host: string }
  // Nothing that a browser should be sent to.
  | { kind: "refused" };

// judge reads a destination. origin is this server's, listed are the origins
// that the administrator allows.
export function judge(asked: string, origin: string, listed: readonly string[]): Destination {
  let url: URL;
  try {
    // What is no address of its own has to begin with a slash, so that "x.example"
    // is not taken for a path.
    url = asked.startsWith("/") ? new URL(asked, origin) : new URL(asked);
  } catch {
    return { kind: "refused" };
  }
  if (url.username !== "" || url.password !== "") return { kind: "refused" };
  // A blob's origin is that of who made it, so the protocol is compared as well.
  if (url.origin === origin && url.protocol === new URL(origin).protocol) return { kind: "own", address: url.href };
  if (url.protocol !== "https:" || url.hostname === "") return { kind: "refused" };
  const kind = listed.includes(url.origin) ? "listed" : "elsewhere";
  return { kind, address: url.href, host: url.host };
}
