// The AWS access portal as a web application.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Machine } from "./shell.mjs";
import { Site, Visitor, launch } from "./site.mjs";

let site, browser;
before(async () => { [site, browser] = await Promise.all([Site.start(), launch()]); });
after(async () => { await browser?.close(); await site?.stop(); });

// Cloudscape's links and icons are lower than the buttons of our own pages.
const inspection = { smallest: 20 };

// open signs somebody in at an address of the portal.
async function open(user = "admin", address = "/start") {
  const visitor = await Visitor.arrive(browser, site, { permissions: ["clipboard-read", "clipboard-write"], viewport: { width: 1280, height: 800 } });
  await visitor.goto(address);
  await visitor.signIn(user);
  return visitor;
}

const account = (visitor, name) => visitor.page.getByRole("button", { name, expanded: false }).click();
const keysOf = (visitor, role, name) => visitor.page.getByRole("button", { name: `Access keys of ${role} in ${name}` }).click();
const tab = (visitor, name) => visitor.page.getByRole("tab", { name }).click();

// copied presses one of the buttons that copy, and returns what it copied.
async function copied(visitor, what) {
  await visitor.page.getByRole("button", { name: `Copy: ${what}`, exact: true }).click();
  await visitor.page.getByText("Copied", { exact: true }).first().waitFor();
  return visitor.page.evaluate(() => navigator.clipboard.readText());
}

test("from signing in to keys that work in a shell", async () => {
  const admin = await open();
  await admin.shows("AWS access portal", "Alex Admin", "development", "management", "production", "111111111111");
  await admin.inspect("accounts", inspection);
  await account(admin, /^production/);
  await admin.page.getByText("Auditor").waitFor();
  await admin.inspect("roles", { ...inspection, once: false });
  await keysOf(admin, "Administrator", "production");
  await tab(admin, "Environment variables");
  await admin.page.getByText(/^These credentials expire in 3 h 59 min \d\d s\.$/).waitFor();

  const machine = new Machine(site);
  const who = (role, name = "admin") => new RegExp(`^arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_${role}_[0-9a-f]{16}/${name}$`);
  const text = await copied(admin, "Environment variables with credentials");
  assert.match(text, /^export AWS_ACCESS_KEY_ID='ASIA[A-Z2-7]{16}'\n/);
  assert.match(machine.bash(`${text}aws sts get-caller-identity --query Arn --output text`), who("Administrator"));
  machine.bash(`${text}aws s3 mb s3://from-the-portal\naws s3 ls`);
  await tab(admin, "Profile");
  await admin.page.getByText("[111111111111_Administrator]").waitFor();
  machine.write(".aws/credentials", await copied(admin, "Profile with credentials"));
  assert.match(machine.bash("aws sts get-caller-identity --query Arn --output text --profile 111111111111_Administrator"), who("Administrator"));
  assert.match(machine.bash("aws s3 ls --profile 111111111111_Administrator"), /from-the-portal/);

  // Both forms have the same credentials, of one call.
  const id = await copied(admin, "AWS access key ID");
  assert.ok(text.includes(`'${id}'`));
  await admin.press("Close");

  // With the role Auditor, the door means it.
  await keysOf(admin, "Auditor", "production");
  await tab(admin, "Environment variables");
  const weak = await copied(admin, "Environment variables with credentials");
  assert.match(machine.bash(`${weak}aws s3 ls`), /from-the-portal/);
  assert.match(machine.bash(`${weak}! aws s3 mb s3://not-allowed 2>&1`), /AccessDenied/);
  machine.remove();
  assert.deepEqual(admin.problems, []);
});

test("aws configure sso with the values of the dialog", async () => {
  const sam = await open("sam.lee");
  await sam.shows("AWS access portal", "development");
  await keysOf(sam, "Builder", "development");
  await sam.page.getByText("Run the command, and give").waitFor();
  const machine = new Machine(site);
  const terminal = machine.terminal((await copied(sam, "Command")).trim());
  await terminal.answer("SSO session name (Recommended):", await copied(sam, "SSO session name"));
  await terminal.answer("SSO start URL [None]:", await copied(sam, "SSO start URL"));
  await terminal.answer("SSO region [None]:", await copied(sam, "SSO Region"));
  await terminal.answer("SSO registration scopes [sso:account:access]:", await copied(sam, "SSO registration scopes"));
  const [, address, code] = await terminal.expect(/open the following URL:\n\n(http\S+)\n\nThen enter the code:\n\n(\S+)\n/);
  await sam.page.goto(address);
  await sam.fill("Code", code);
  await sam.press("Next");
  await sam.press("Confirm and continue");
  await sam.press("Allow access");
  await sam.shows("Request approved");
  await terminal.expect(/The only AWS account available to you is: 222222222222/);
  await terminal.expect(/The only role available to you is: Builder/);
  await terminal.answer("CLI default client Region [None]:", "us-east-1");
  await terminal.answer("CLI default output format [None]:", "json");
  await terminal.end();
  assert.equal(machine.bash("aws sts get-caller-identity --profile Builder-222222222222 --query Account --output text"), "222222222222");
  machine.remove();
});

test("the dialog of access keys, in every form and for every shell", async () => {
  const admin = await open();
  await account(admin, /^production/);
  await keysOf(admin, "Auditor", "production");
  await admin.page.getByText("Run the command, and give").waitFor();
  assert.match(await copied(admin, "SSO start URL"), /^https:\/\/d-[0-9a-f]{10}\.awsapps\.com\/start$/);
  assert.match(await copied(admin, "AWS config of this role"), /\[profile Auditor-111111111111\]/);
  await admin.inspect("keys-sso", { ...inspection, once: false });
  await tab(admin, "Environment variables");
  await admin.page.getByText("These credentials expire").waitFor();
  await admin.inspect("keys-environment", inspection);
  await admin.page.setViewportSize({ width: 1280, height: 800 });
  await admin.press("PowerShell");
  assert.match(await copied(admin, "Environment variables with credentials"), /^\$Env:AWS_ACCESS_KEY_ID='ASIA[A-Z2-7]{16}'\n\$Env:AWS_SECRET_ACCESS_KEY='[^']{40}'\n\$Env:AWS_SESSION_TOKEN='[^']+'\n/);
  await admin.press("Windows cmd");
  assert.match(await copied(admin, "Environment variables with credentials"), /^SET "AWS_ACCESS_KEY_ID=ASIA[A-Z2-7]{16}"\n/);
  await tab(admin, "Profile");
  await admin.inspect("keys-profile", inspection);
  await admin.page.keyboard.press("Escape");
  await admin.page.getByRole("dialog").waitFor({ state: "hidden" });
  assert.ok(await admin.page.evaluate(() => document.activeElement.getAttribute("aria-label") === "Access keys of Auditor in production"), "the focus does not go back");
});

test("credentials that have expired", async () => {
  const admin = await open();
  await admin.page.clock.install();
  await account(admin, /^production/);
  await keysOf(admin, "Administrator", "production");
  await tab(admin, "Environment variables");
  await admin.page.getByText("These credentials expire in 3 h").waitFor();
  const first = await copied(admin, "Environment variables with credentials");
  await admin.page.clock.fastForward("03:55:00");
  await admin.page.getByText(/^These credentials expire in 4 min/).waitFor();
  await admin.page.clock.fastForward("06:00");
  await admin.page.getByText("These credentials have expired.").waitFor();
  await admin.press("Get new credentials");
  await admin.page.getByText("These credentials expire in 3 h").waitFor();
  assert.notEqual(await copied(admin, "Environment variables with credentials"), first);
});

test("search", async () => {
  const admin = await open();
  await admin.shows("AWS access portal", "production");
  const search = admin.page.getByRole("searchbox");
  const shown = () => admin.page.getByRole("list", { name: "Accounts" }).getByRole("heading").allTextContents();
  assert.deepEqual((await shown()).map((name) => name.trim()), ["development", "management", "production"]);
  await search.fill("2222");
  await admin.page.getByText("1 account", { exact: true }).first().waitFor();
  assert.deepEqual((await shown()).map((name) => name.trim()), ["development"]);
  await search.fill("nothing of this name");
  await admin.page.getByText("No account matches “nothing of this name”.").waitFor();
  await admin.inspect("search", inspection);
});

test("the configuration for everything", async () => {
  const admin = await open();
  await admin.press("My AWS config");
  await admin.page.getByText("[profile Administrator-111111111111]").waitFor();
  await admin.inspect("config", inspection);
  const [download] = await Promise.all([admin.page.waitForEvent("download"), admin.press("Download")]);
  assert.equal(download.suggestedFilename(), "config");
  const machine = new Machine(site);
  const file = `${machine.home}/.aws/config`;
  await download.saveAs(file);
  const profiles = ["111111111111", "123456789012", "222222222222"].flatMap((id) => [`Administrator-${id}`, `Auditor-${id}`]);
  assert.deepEqual(machine.bash("aws configure list-profiles").split("\n").sort(), profiles.sort());
  machine.remove();
});

test("applications", async () => {
  const admin = await open();
  await tab(admin, "Applications");
  await admin.shows("AWS access portal", "No applications yet");
  assert.match(admin.page.url(), /\/start#\/\?tab=applications$/);
  await admin.inspect("applications", inspection);
});

test("the profile", async () => {
  const admin = await open();
  await admin.page.getByRole("link", { name: "Alex Admin" }).click();
  await admin.shows("Your profile", "Alex Admin", "admin", "Signed in until");
  assert.equal(await admin.page.evaluate(() => document.activeElement.id), "content");
  for (const [name, address] of Object.entries({ "Change password": "/account/password", "MFA devices": "/account/devices", Sessions: "/account/sessions" })) {
    assert.equal(await admin.page.getByRole("link", { name }).getAttribute("href"), address);
  }
  await admin.inspect("profile", inspection);
  await admin.page.goBack();
  await admin.shows("AWS access portal", "production");
  await admin.press("Sign out");
  await admin.shows("You are signed out");
});

test("by keyboard alone", async () => {
  const admin = await open();
  await admin.shows("AWS access portal", "production");
  const key = (name) => admin.page.keyboard.press(name);
  const focused = () => admin.page.evaluate(() => document.activeElement.getAttribute("aria-label") || document.activeElement.textContent.trim());
  const until = async (wanted) => {
    for (let i = 0; i < 40; i++) {
      if ((await focused()).startsWith(wanted)) return;
      await key("Tab");
    }
    assert.fail(`no ${wanted} is reached by the Tab key, but ${await focused()}`);
  };
  await key("Tab");
  assert.equal(await focused(), "Skip to the content");
  await key("Enter");
  assert.equal(await admin.page.evaluate(() => document.activeElement.id), "content");
  await until("development");
  await key("Enter");
  await admin.page.getByText("Administrator").waitFor();
  await until("Access keys of Administrator in development");
  await key("Enter");
  await admin.page.getByRole("dialog").waitFor();
  await until("aws configure sso (recommended)");
  await key("ArrowRight");
  await admin.page.getByText("These credentials expire").waitFor();
  await until("Copy: Environment variables with credentials");
  await key("Enter");
  await admin.page.getByText("Copied", { exact: true }).waitFor();
  await key("Escape");
  await key("Escape"); // the first one closed the message
  await admin.page.getByRole("dialog").waitFor({ state: "hidden" });
  assert.match(await focused(), /^Access keys of Administrator in development/);
});
