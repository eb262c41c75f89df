// Names are as long as people make them, and in any script: no page is wider
// than a phone for that.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Administrator } from "./api.mjs";
import { Site, Visitor, chosen, launch, totp } from "./site.mjs";

let site, browser, administrator;
before(async () => {
  [site, browser] = await Promise.all([Site.start(), launch()]);
  administrator = new Administrator(site);
});
after(async () => { await browser?.close(); await site?.stop(); });

// long is a name of a length without a place to break it, and with a bit of
// every script.
const long = (length) => "W".repeat(length - 30) + "محمد-עברית-日本語-👩🚀-" + "m".repeat(9);

// narrow holds the page to the width of phones.
async function narrow(visitor, where) {
  for (const width of [320, 360]) {
    await visitor.page.setViewportSize({ width, height: 700 });
    await visitor.photograph(`names-${where.replaceAll(" ", "-")}-${width}`);
    await visitor.fits(`${where}, ${width} pixels`);
  }
  await visitor.page.setViewportSize({ width: 1280, height: 800 });
  await visitor.fits(`${where}, on a desk`);
}

test("long names fit", async () => {
  const userName = long(128);
  const store = (await administrator.instance()).IdentityStoreId;
  await administrator.call("UpdateUser", {
    IdentityStoreId: store, UserId: await administrator.user("admin"),
    Operations: [["userName", userName], ["displayName", long(200)], ["name.givenName", long(100)], ["emails", [{ Value: `${"a".repeat(60)}@${"b".repeat(60)}.example.com`, Type: "work", Primary: true }]]]
      .map(([AttributePath, AttributeValue]) => ({ AttributePath, AttributeValue })),
  }, "AWSIdentityStore", "identitystore");
  site.passwords[userName] = site.passwords.admin;
  await administrator.authentication({ MfaMode: "ALWAYS_ON", NoMfaSignInBehavior: "ALLOWED" });

  const admin = await Visitor.arrive(browser, site);
  await admin.goto("/start/plain");
  await admin.fill("Username", userName);
  await admin.press("Next");
  await narrow(admin, "password");
  await admin.fill("Password", site.passwords[userName]);
  await admin.press("Sign in");
  await admin.fill("New password", chosen);
  await admin.fill("Confirm password", chosen);
  await admin.press("Set new password");
  await admin.shows("AWS access portal");
  await narrow(admin, "plain portal");

  await admin.goto("/account/devices/register/app");
  const secret = (await admin.page.locator("details code").textContent()).replaceAll(" ", "");
  await admin.fill("Authenticator code", totp(secret, -1));
  await admin.fill("Next authenticator code", totp(secret, 0));
  await admin.fill("Device name", long(100));
  await narrow(admin, "register app");
  await admin.press("Assign MFA");
  await admin.shows("MFA devices");
  for (const details of await admin.page.locator("details summary").all()) await details.click();
  await narrow(admin, "devices");
  await admin.goto("/account");
  await narrow(admin, "account");
  await admin.goto("/account/verify");
  await narrow(admin, "verify");

  const client = await site.client({ clientName: long(256) });
  const device = await site.device(client);
  await admin.goto(new URL(device.verificationUriComplete).pathname + new URL(device.verificationUriComplete).search);
  await narrow(admin, "compare");
  await admin.press("Confirm and continue");
  await narrow(admin, "consent");
  await admin.press("Allow access");
  await admin.shows("Request approved");
  assert.equal((await site.poll(client, device)).status, 200); // from now on there is a login
  await admin.goto("/account/sessions");
  await admin.shows("Where you are signed in", "Applications and command lines that use it", "W".repeat(50));
  await narrow(admin, "sessions");

  await admin.goto("/start");
  await admin.shows("AWS access portal");
  await admin.page.getByText(long(200).slice(0, 40)).first().waitFor({ state: "attached" });
  await narrow(admin, "portal");
  await admin.goto("/start/#/profile");
  await admin.shows("Your profile", "W".repeat(50));
  await narrow(admin, "portal profile");
  assert.deepEqual(admin.problems, []);

  const other = await Visitor.arrive(browser, site);
  await other.goto("/start");
  await other.fill("Username", userName);
  await other.press("Next");
  await other.fill("Password", chosen);
  await other.press("Sign in");
  await other.shows("Additional verification required");
  await narrow(other, "factor");
});
