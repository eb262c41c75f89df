// Photographs the AWS access portal for the README: node screenshots.mjs DIRECTORY
import fs from "node:fs";
import path from "node:path";
import { Machine } from "./shell.mjs";
import { Site, Visitor, launch } from "./site.mjs";

const to = process.argv[2];
if (!to) throw new Error("say where to put the photographs");
fs.mkdirSync(to, { recursive: true });

const site = await Site.start();
const browser = await launch();
try {
  const machine = new Machine(site);
  machine.bash(`eval "$(${process.env.ATRIUM_PROGRAM ?? "../../bin/atrium"} env --data-dir '${site.dir}')"
    instance=$(aws sso-admin list-instances --query 'Instances[0].InstanceArn' --output text)
    aws atrium put-account-appearance --instance-arn $instance --account-id 111111111111 --label 'Handle with care' --account-color red
    aws atrium put-account-appearance --instance-arn $instance --account-id 222222222222 --label Sandbox --account-color teal`);
  machine.remove();

  const desk = { width: 1100, height: 720 };
  const admin = await Visitor.arrive(browser, site, { viewport: desk });
  const { page } = admin;
  const photograph = async (name) => {
    await page.mouse.move(0, 0);
    await page.evaluate(() => {
      document.activeElement?.blur();
      document.body.style.backgroundImage = "none"; // its many shades make large files
    });
    await page.waitForTimeout(500); // what moves comes to rest
    const file = path.join(to, `${name}.png`);
    await page.screenshot({ path: file });
    console.log(`${file}: ${fs.statSync(file).size} bytes`);
  };
  await admin.goto("/start");
  await admin.signIn();
  await admin.shows("AWS access portal", "Handle with care");
  await page.getByRole("button", { name: /^production/ }).click();
  await page.getByText("Auditor").waitFor();
  await photograph("portal-accounts");
  await page.getByRole("button", { name: "Access keys of Administrator in production" }).click();
  await page.getByText("Run the command, and give").waitFor();
  await photograph("portal-access-keys");
  await admin.press("Close");
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 390, height: 700 });
  await photograph("portal-phone-dark");
} finally {
  await browser.close();
  await site.stop();
}
