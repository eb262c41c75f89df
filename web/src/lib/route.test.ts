import { expect, test } from "vitest";
import { href, parse, type Route } from "./route";

test("the addresses that AWS's portal has", () => {
  expect(parse("")).toEqual({ view: "accounts" });
  expect(parse("#/")).toEqual({ view: "accounts" });
  expect(parse("#/?tab=accounts")).toEqual({ view: "accounts" });
  expect(parse("#/?tab=applications")).toEqual({ view: "applications" });
  expect(
    parse(
      "#/console?account_id=111111111111&role_name=Administrator&destination=https%3A%2F%2Fconsole.aws.amazon.com%2Fs3%3Fx%3D1%26y%3D2",
    ),
  ).toEqual({
    view: "console",
    accountId: "111111111111",
    roleName: "Administrator",
    destination: "https://console.aws.amazon.com/s3?x=1&y=2",
  });
  expect(parse("#/console/?account_id=111111111111")).toEqual({
    view: "console",
    accountId: "111111111111",
    roleName: "",
    destination: "",
  });
});

test("an address that nobody made", () => {
  expect(parse("#/nothing/here")).toEqual({ view: "accounts" });
  expect(parse("#console?account_id=%")).toEqual({ view: "console", accountId: "%", roleName: "", destination: "" });
});

test("every view is found again by its address", () => {
  const routes: Route[] = [
    { view: "accounts" },
    { view: "applications" },
    { view: "profile" },
    { view: "console", accountId: "111111111111", roleName: "", destination: "" },
    { view: "console", accountId: "111111111111", roleName: "a+b=c,d.e@f-g_h", destination: "/x?y=1&z=ü #/console?a=?b" },
  ];
  for (const route of routes) expect(parse(href(route))).toEqual(route);
});
