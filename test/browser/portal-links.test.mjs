// Shortcuts of the AWS access portal, and what goes wrong with sessions and
// connections.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Machine } from "./shell.mjs";
import { Site, Visitor, launch } from "./site.mjs";

let site, browser;
before(async () => { [site, browser] = await Promise.all([Site.start(), launch()]); });
after(async () => { await browser?.close(); await site?.stop(); });

const inspection = { smallest: 20 };
const shortcut = (values) => `/start/#/console?${new URLSearchParams(values)}`;
const administrator = { account_id: "111111111111", role_name: "Administrator" };

async function arrive(options = {}) {
  return Visitor.arrive(browser, site, { permissions: ["clipboard-read", "clipboard-write"], viewport: { width: 1280, height: 800 }, ...options });
}

async function open(user = "admin", address = "/start") {
  const visitor = await arrive();
  await visitor.goto(address);
  await visitor.signIn(user);
  return visitor;
}

test("a shortcut is made, and opens after signing in", async () => {
  const admin = await open();
  await admin.press("Create shortcut");
  const choose = async (label, option) => {
    await admin.page.getByRole("dialog").getByRole("button", { name: new RegExp(`^${label}`) }).click();
    await admin.page.getByRole("option", { name: option }).click();
  };
  await choose("Account", /^production/);
  await choose("Role", "Auditor");
  await admin.page.getByLabel(/^Destination URL/).fill("javascript:alert(1)");
  await admin.page.getByText("A shortcut cannot lead there.").waitFor();
  assert.equal(await admin.page.getByRole("button", { name: "Copy: Shortcut link" }).count(), 0);
  await admin.page.getByLabel(/^Destination URL/).fill("https://elsewhere.example/");
  await admin.page.getByText("Whoever opens the link is asked whether they want to go to elsewhere.example.").waitFor();
  await admin.inspect("shortcut", inspection);
  await admin.page.getByLabel(/^Destination URL/).fill("/device?user_code=BCDF-GHJK");
  await admin.page.getByRole("button", { name: "Copy: Shortcut link" }).click();
  const link = await admin.page.evaluate(() => navigator.clipboard.readText());
  assert.equal(link, `${site.url}/start/#/console?account_id=111111111111&role_name=Auditor&destination=%2Fdevice%3Fuser_code%3DBCDF-GHJK`);

  const other = await arrive();
  await other.page.goto(link);
  await other.signIn("admin");
  await other.shows("Authorize a device");
  assert.equal(await other.page.getByLabel("Code").inputValue(), "BCDF-GHJK");
});

test("a shortcut to a role without a destination", async () => {
  const admin = await open("admin", shortcut(administrator));
  await admin.shows("Administrator", "In the account production (111111111111)", "There is no management console to open for this role.");
  await admin.inspect("console-role", inspection);
  await admin.press("Access keys");
  await admin.page.getByText("Run the command, and give").waitFor();
});

test("a shortcut without a role lets choose", async () => {
  const admin = await open("admin", shortcut({ account_id: "111111111111", destination: "/device" }));
  await admin.shows("Choose a role", "production", "Auditor");
  await admin.inspect("console-choose", inspection);
  await admin.page.getByRole("link", { name: "Auditor" }).click();
  await admin.shows("Authorize a device");
});

test("a shortcut to what the person does not have", async () => {
  const sam = await open("sam.lee", shortcut(administrator));
  await sam.shows("You do not have this access", "The role Administrator in the account 111111111111 is not assigned to you.", "Ask");
  await sam.inspect("console-none", inspection);
  await sam.goto(shortcut({ account_id: "222222222222", role_name: "Administrator", destination: "https://elsewhere.example/" }));
  await sam.shows("You do not have this access");
  await sam.goto(shortcut({ account_id: "everything" }));
  await sam.shows("This shortcut is not complete");
  await sam.page.getByRole("link", { name: "All accounts" }).click();
  await sam.shows("AWS access portal", "development");
});

test("a hostile destination is asked about by the host's real name", async () => {
  const visited = [];
  const admin = await open();
  await admin.page.route("**/*.example/**", (route) => {
    visited.push(route.request().url());
    return route.fulfill({ contentType: "text/html", body: "<h1>elsewhere</h1>" });
  });
  for (const [destination, host] of Object.entries({
    "https://console.aws.amazon.com.evil.example/x?a=b": "console.aws.amazon.com.evil.example",
    "https://\u0430pple.example/": "xn--pple-43d.example",
  })) {
    await admin.goto(shortcut({ ...administrator, destination }));
    await admin.shows(`Leave for ${host}?`, "This shortcut for Administrator in production leads to another website:");
  }
  await admin.inspect("console-leave", inspection);
  for (const destination of ["javascript:document.title='hit'", "data:text/html,x", "http://evil.example/", "//evil.example/x", "/\\evil.example/x", "https://console.aws.amazon.com@evil.example/"]) {
    await admin.goto(shortcut({ ...administrator, destination }));
    await admin.shows("This shortcut leads nowhere");
  }
  assert.equal(await admin.page.title(), "AWS access portal · Atrium");
  assert.deepEqual(visited, []);
  await admin.goto(shortcut({ ...administrator, destination: "https://evil.example/x" }));
  const [request] = await Promise.all([admin.page.waitForRequest(/evil\.example/), admin.page.getByRole("link", { name: "Go to evil.example" }).click()]);
  assert.equal(request.headers().referer, undefined);
  assert.deepEqual(admin.problems, []);
});

test("a listed destination is gone to without a question, and labels and colours are shown", async () => {
  const machine = new Machine(site);
  const eval_ = `eval "$(${process.env.ATRIUM_PROGRAM ?? "../../bin/atrium"} env --data-dir '${site.dir}')"\n`;
  machine.bash(`${eval_}instance=$(aws sso-admin list-instances --query 'Instances[0].InstanceArn' --output text)
    aws atrium put-portal-destinations --instance-arn $instance --destinations https://console.example
    aws atrium put-account-appearance --instance-arn $instance --account-id 111111111111 --label 'Handle with care' --account-color red
    aws atrium put-account-appearance --instance-arn $instance --account-id 222222222222 --label Sandbox --account-color teal`);
  machine.remove();
  const admin = await arrive();
  await admin.page.route("https://console.example/**", (route) => route.fulfill({ contentType: "text/html", body: "<h1>The console</h1>" }));
  await admin.goto(shortcut({ ...administrator, destination: "https://console.example/s3/home?region=us-east-1" }));
  await admin.signIn();
  await admin.shows("The console");
  assert.equal(admin.page.url(), "https://console.example/s3/home?region=us-east-1");
  await admin.goto("/start");
  await admin.shows("AWS access portal", "Handle with care");
  await admin.page.getByRole("searchbox").fill("care");
  await admin.page.getByText("1 account", { exact: true }).first().waitFor();
  await admin.page.getByRole("searchbox").fill("");
  await admin.inspect("labels", inspection);
});

test("a session that has ended leads to signing in, and back", async () => {
  const admin = await open();
  await admin.shows("AWS access portal", "production");
  await admin.goto(shortcut(administrator));
  await admin.shows("Administrator");
  const cookies = await admin.context.cookies();
  // Signed out elsewhere, while this page is open.
  const elsewhere = await admin.context.newPage();
  await elsewhere.goto(`${site.url}/start`);
  await elsewhere.getByRole("button", { name: "Sign out" }).click();
  await elsewhere.getByText("You are signed out").waitFor();
  await elsewhere.close();
  assert.ok(cookies.length > 0);
  await admin.press("Access keys");
  await admin.page.getByText("Your session has ended").waitFor();
  for (const gone of ["Alex Admin", "production", "Administrator"]) assert.ok(!(await admin.page.textContent("body")).includes(gone), `${gone} is shown after the session`);
  await admin.inspect("ended", inspection);
  await admin.page.getByRole("link", { name: "Sign in" }).click();
  await admin.signIn();
  await admin.shows("Administrator", "In the account production");
});

test("a portal that is left open shows nothing once its session's time has come", async () => {
  const admin = await Visitor.arrive(browser, site);
  await admin.page.clock.install();
  await admin.goto("/start");
  await admin.signIn();
  await admin.shows("AWS access portal", "production", "Alex Admin");
  await admin.page.getByRole("button", { name: /^production/ }).click();
  await admin.press("Access keys of Administrator in production");
  await admin.page.getByRole("dialog").getByText("Run the command, and give").waitFor();
  await admin.context.setOffline(true); // the server need not be there
  await admin.page.clock.fastForward("07:59:00");
  assert.ok((await admin.page.textContent("body")).includes("Alex Admin"));
  await admin.page.clock.fastForward("00:01:05");
  await admin.page.getByText("Your session has ended").waitFor();
  for (const gone of ["Alex Admin", "production", "Administrator", "dialog"]) assert.ok(!(await admin.page.innerHTML("body")).includes(gone), `${gone} is shown after the session`);
});

test("a page of an earlier session asks to be loaded again", async () => {
  const admin = await open();
  await admin.shows("AWS access portal", "production");
  const other = await admin.context.newPage();
  await other.goto(`${site.url}/start`);
  await other.getByRole("button", { name: "Sign out" }).click();
  await other.getByRole("link", { name: "Sign in again" }).click();
  await other.getByLabel("Username", { exact: true }).fill("sam.lee");
  await other.getByRole("button", { name: "Next" }).click();
  await other.getByLabel("Password", { exact: true }).fill(site.passwords["sam.lee"]);
  await other.getByRole("button", { name: "Sign in", exact: true }).click();
  await other.getByText("development").first().waitFor();
  await other.close();
  await admin.page.getByRole("button", { name: /^production/ }).click();
  await admin.page.getByText("This page is of an earlier session").waitFor();
  await admin.press("Load the page again");
  await admin.shows("AWS access portal", "Sam Lee", "development");
});

test("a lost connection shows a way to try again", async () => {
  const admin = await open();
  await admin.shows("AWS access portal", "production");
  await admin.context.setOffline(true);
  await admin.page.getByRole("button", { name: /^production/ }).click();
  await admin.page.getByText("The connection was lost").waitFor();
  await admin.inspect("lost", inspection);
  await admin.context.setOffline(false);
  await admin.press("Retry");
  await admin.page.getByText("Auditor").waitFor();
  // What came along with the page needs no connection any more.
  await admin.page.route("**/portal/api/*", (route) => route.abort());
  await admin.page.reload();
  await admin.shows("AWS access portal", "production");
  // Without it, the portal asks for everything again.
  await admin.page.route(`${site.url}/start`, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.text()).replace(/(name="first-answers" content=)"[^"]*"/, '$1"null"') });
  });
  await admin.page.reload();
  await admin.page.getByText("The connection was lost").waitFor();
  await admin.page.unroute("**/portal/api/*");
  await admin.press("Retry");
  await admin.shows("AWS access portal", "production");
  assert.deepEqual(admin.problems, []);
});

test("somebody without accounts is told whom to ask", async () => {
  const machine = new Machine(site);
  const eval_ = `eval "$(${process.env.ATRIUM_PROGRAM ?? "../../bin/atrium"} env --data-dir '${site.dir}')"\n`;
  site.passwords["new.comer"] = machine.bash(`${eval_}store=$(aws sso-admin list-instances --query 'Instances[0].IdentityStoreId' --output text)
    user=$(aws identitystore create-user --identity-store-id $store --user-name new.comer --display-name 'New Comer' --name GivenName=New,FamilyName=Comer --query UserId --output text)
    aws atrium update-password --identity-store-id $store --user-id $user --password-mode OTP --query OneTimePassword --output text`);
  machine.remove();
  const comer = await open("new.comer");
  await comer.shows("AWS access portal", "No accounts yet", "Ask an administrator");
  await comer.inspect("empty", inspection);
});
