// What the portal asks the server, by the operations of the generated client.
import { call as callOperation, type Operations, type PortalAccount, SignedOutError, StalePageError } from "../api/portal_gen";

export { ApiError, ConnectionError, SignedOutError, StalePageError } from "../api/portal_gen";

export type Portal = Operations["DescribePortal"]["output"];
export type Account = PortalAccount;
export type AccessTexts = Operations["GetAccessTexts"]["output"];
export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  // In milliseconds.
  expiration: number;
}

// How far the server's clock is ahead of this one, in milliseconds, as its last
// answer said.
let ahead = 0;
export const now = () => Date.now() + ahead;

function seen(response: Response) {
  const date = Date.parse(response.headers.get("Date") ?? "");
  // The header has no fractions of a second.
  if (!Number.isNaN(date) && Math.abs(date - now()) > 2000) ahead = date - Date.now();
}

async function call<Name extends keyof Operations>(operation: Name, input: Operations[Name]["input"]): Promise<Operations[Name]["output"]> {
  try {
    return sentAlong(operation) ?? (await callOperation(operation, input, { seen }));
  } catch (error) {
    if (error instanceof SignedOutError || error instanceof StalePageError) over(error);
    throw error;
  }
}

let over: (error: Error) => void = () => {};

// whenOver has ended called once the session of this page is over: when an
// answer says so, or when its time has come, whether the server can be reached
// or not. until is in milliseconds.
export function whenOver(until: number | undefined, ended: (error: Error) => void): () => void {
  over = ended;
  // Timers stand still while a machine sleeps, so the clock is asked again.
  const check = () => {
    if (until !== undefined && now() >= until) ended(new SignedOutError("", "", 401));
  };
  const timer = setInterval(check, 1000);
  document.addEventListener("visibilitychange", check);
  return () => {
    over = () => {};
    clearInterval(timer);
    document.removeEventListener("visibilitychange", check);
  };
}

let along: Partial<{ [Name in keyof Operations]: Operations[Name]["output"] }> | null | undefined;

// sentAlong is the answer that came along with the page, if there is one to
// this operation. It is good for one call.
function sentAlong<Name extends keyof Operations>(operation: Name): Operations[Name]["output"] | undefined {
  along ??= JSON.parse(document.querySelector<HTMLMetaElement>('meta[name="first-answers"]')?.content || "{}") ?? {};
  const answer = along?.[operation];
  if (along) delete along[operation];
  return answer;
}

export const describePortal = () => call("DescribePortal", {});

// accounts gives the accounts a page at a time.
export async function* accounts(): AsyncGenerator<Account[]> {
  let nextToken: string | undefined;
  do {
    const page = await call("ListPortalAccounts", { maxResults: 1000, nextToken });
    yield page.accountList;
    nextToken = page.nextToken;
  } while (nextToken);
}

// roles are the names of the roles that the person has in an account.
export async function roles(accountId: string): Promise<string[]> {
  const names: string[] = [];
  let nextToken: string | undefined;
  do {
    const page = await call("ListAccountRoles", { accountId, nextToken });
    for (const role of page.roleList ?? []) if (role.roleName) names.push(role.roleName);
    nextToken = page.nextToken;
  } while (nextToken);
  return names;
}

export async function credentials(accountId: string, roleName: string): Promise<Credentials> {
  const { roleCredentials: keys } = await call("GetRoleCredentials", { accountId, roleName });
  if (!keys?.accessKeyId || !keys.secretAccessKey || !keys.sessionToken || !keys.expiration)
    throw new Error("the answer has no credentials");
  return {
    accessKeyId: keys.accessKeyId,
    secretAccessKey: keys.secretAccessKey,
    sessionToken: keys.sessionToken,
    expiration: keys.expiration,
  };
}

export const accessTexts = (accountId: string, roleName: string) => call("GetAccessTexts", { accountId, roleName });

export const configuration = async () => (await call("GetConfiguration", {})).configuration;
