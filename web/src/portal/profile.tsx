// Who is signed in, and where to change how.
import Container from "@cloudscape-design/components/container";
import type { Portal } from "../lib/client";
import { href } from "../lib/route";
import { type Key, t } from "../lib/text";

// The pages about credentials are the server's own.
const pages: [address: string, title: Key, help: Key][] = [
  ["/account/password", "portal.profile.password", "portal.profile.password.help"],
  ["/account/devices", "portal.profile.devices", "portal.profile.devices.help"],
  ["/account/sessions", "portal.profile.sessions", "portal.profile.sessions.help"],
];

export default function Profile({ portal }: { portal: Portal }) {
  const facts: [Key, string | undefined][] = [
    ["portal.profile.name", portal.user.displayName],
    ["portal.profile.username", portal.user.userName],
    ["portal.profile.mail", portal.user.emailAddress],
    ["portal.profile.until", new Date(portal.sessionExpiration).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" })],
  ];
  return (
    <div className="wide">
      <a className="back" href={href({ view: "accounts" })}>
        {t("portal.console.accounts")}
      </a>
      <h1>{t("portal.profile.title")}</h1>
      <Container>
        <dl className="values values-only">
          {facts.map(
            ([name, value]) =>
              value && (
                <div className="value" key={name}>
                  <dt>{t(name)}</dt>
                  <dd>{value}</dd>
                </div>
              ),
          )}
        </dl>
      </Container>
      <Container>
        <ul className="links">
          {pages.map(([address, title, help]) => (
            <li key={address}>
              <a href={address}>{t(title)}</a>
              <p>{t(help)}</p>
            </li>
          ))}
        </ul>
      </Container>
    </div>
  );
}
