// The root user of a node without sample data: from the link that the node
// prints to IAM Identity Center enabled, and recovered on the server.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { chosen, launch, Site, totp as code, Visitor } from "./site.mjs";

let site;
let browser;
before(async () => {
  site = await Site.start("--empty");
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.stop();
});

const email = "management@example.com";

// link is the address of the root user's link in what the program said.
const link = (said) => new URL(said.match(/http:\S+\/root\/link\/\S+/)[0]).pathname;

const reset = () => execFileSync(process.env.ATRIUM_PROGRAM ?? "../../bin/atrium", ["root", "reset", "--dev", site.dir], { encoding: "utf8" });

// begin follows a link to the root user's page, with a password and an
// authenticator app, whose secret it returns with the code that it used.
async function begin(visitor, address, password) {
  await visitor.goto(address);
  await visitor.shows("Root user", "This link works once");
  await visitor.press("Continue");
  await visitor.fill("New password", password);
  await visitor.fill("Confirm password", password);
  await visitor.press("Set new password");
  await visitor.shows("Register MFA device");
  await visitor.page.getByRole("link", { name: /^Authenticator app/ }).click();
  const secret = (await visitor.page.locator("details code").textContent()).replaceAll(" ", "");
  const used = code(secret, 0);
  await visitor.fill("Authenticator code", code(secret, -1));
  await visitor.fill("Next authenticator code", used);
  await visitor.press("Assign MFA");
  return { secret, used };
}

test("the root user enables Identity Center", async () => {
  const visitor = await Visitor.arrive(browser, site);
  await visitor.goto("/start");
  await visitor.shows("IAM Identity Center is not enabled");
  await visitor.goto(link(site.said));
  await visitor.inspect("root-link");
  const { secret, used } = await begin(visitor, link(site.said), chosen);
  assert.equal(visitor.path(), "/root");
  await visitor.shows("Root user", "Enable with AWS Organizations", "123456789012");
  await visitor.inspect("root-not-enabled");
  await visitor.press("Enable");
  await visitor.shows("Root user", "IAM Identity Center is enabled", "awsapps.com/start");
  await visitor.inspect("root-enabled");

  // The root user is nobody of the portal.
  await visitor.goto("/start");
  assert.equal(visitor.path(), "/signin");
  await visitor.goto("/root");
  await visitor.press("Sign out");
  await visitor.goto("/root");
  assert.equal(visitor.path(), "/root/signin");
  await visitor.inspect("root-signin");

  // Neither the link nor the code works again.
  await visitor.goto(link(site.said));
  await visitor.shows("This link cannot be used");
  await visitor.goto("/root/signin");
  await visitor.fill("Root user email address", email);
  await visitor.press("Next");
  await visitor.fill("Password", chosen);
  await visitor.press("Sign in");
  await visitor.shows("Additional verification required");
  await visitor.fill("MFA code", used);
  await visitor.press("Sign in");
  await visitor.shows("Additional verification required", "not correct, or was used already");
  await visitor.fill("MFA code", code(secret, 1)); // that of now may be the one that was used
  await visitor.press("Sign in");
  assert.equal(visitor.path(), "/root");

  // What the root user removes is gone.
  await visitor.goto("/account/devices");
  await visitor.shows("MFA devices", "Authenticator app");
  await visitor.page.getByText("Remove", { exact: true }).click();
  await visitor.press("Remove Authenticator app");
  await visitor.shows("MFA devices");
  assert.equal(await visitor.page.locator("ul.devices li").count(), 0);
});

test("the root user is recovered on the server, which ends what there was", async () => {
  const owner = await Visitor.arrive(browser, site);
  await begin(owner, link(reset()), "Uw8-kelp-Moon");
  assert.equal(owner.path(), "/root");

  const said = reset();
  await owner.goto("/root");
  assert.equal(owner.path(), "/root/signin");
  const visitor = await Visitor.arrive(browser, site);
  await visitor.goto("/root/signin");
  await visitor.fill("Root user email address", email);
  await visitor.press("Next");
  await visitor.fill("Password", "Uw8-kelp-Moon");
  await visitor.press("Sign in");
  await visitor.shows("Sign in", "Your username or password is not correct.");
  await begin(visitor, link(said), "Tw9-kelp-Moon");
  assert.equal(visitor.path(), "/root");
});

test("nobody else gets to the root user's page", async () => {
  const stranger = await Visitor.arrive(browser, site);
  for (const address of ["/root", "/root/link/x", "/root/link/AAAA"]) {
    const response = await stranger.goto(address);
    assert.notEqual(await stranger.heading(), "IAM Identity Center", address);
    assert.ok(response.status() === 200 ? stranger.path() === "/root/signin" : response.status() === 410, `${address}: ${response.status()}`);
  }
  const forged = await fetch(`${site.url}/root/enable`, { method: "POST", redirect: "manual" });
  assert.equal(forged.status, 403);
  await stranger.goto("/root/signin");
  await stranger.fill("Root user email address", "nobody@example.com");
  await stranger.press("Next");
  await stranger.fill("Password", chosen);
  await stranger.press("Sign in");
  await stranger.shows("Sign in", "Your username or password is not correct.");
});
