import { expect, test } from "vitest";
import type { Account } from "./client";
import { search } from "./search";

const account = (accountName: string, accountId: string, more: Partial<Account> = {}): Account => ({
  accountName,
  accountId,
  emailAddress: `${accountName}@example.com`,
  color: "none",
  ...more,
});
const all = [
  account("production", "111111111111", { label: "Careful!" }),
  account("development", "222222222222"),
  account("Data Lake", "123456789012"),
];

test.each([
  ["", ["production", "development", "Data Lake"]],
  ["  ", ["production", "development", "Data Lake"]],
  ["prod", ["production"]],
  ["PROD", ["production"]],
  ["2222", ["development"]],
  ["1234-5678-9012", ["Data Lake"]],
  ["lake data", ["Data Lake"]],
  ["careful", ["production"]],
  ["development@example", ["development"]],
  ["nothing", []],
])("%s", (text, names) => {
  expect(search(all, text).map((a) => a.accountName)).toEqual(names);
});
