import type { Account } from "./client";

// search finds the accounts whose name, number, mail address or label have all
// the words of a text in them.
export function search(accounts: readonly Account[], text: string): readonly Account[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return accounts;
  return accounts.filter((a) => {
    // Numbers are often copied as 1111-1111-1111.
    const all = [a.accountName, a.accountId, a.emailAddress, a.label ?? "", a.accountId.replace(/(.{4})(?=.)/g, "$1-")]
      .join("\n")
      .toLowerCase();
    return words.every((word) => all.includes(word));
  });
}
