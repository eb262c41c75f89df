// Signed calls of the settings API, as an administrator makes them.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, createHmac } from "node:crypto";

const hash = (data) => createHash("sha256").update(data).digest("hex");
const hmac = (key, data) => createHmac("sha256", key).update(data).digest();

// Administrator calls the settings API of a site as the administrator of its
// management account.
export class Administrator {
  constructor(site) {
    this.site = site;
    const program = process.env.ATRIUM_PROGRAM ?? "../../bin/atrium";
    const said = execFileSync(program, ["env", "--data-dir", site.dir], { encoding: "utf8" });
    this.key = Object.fromEntries([...said.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [name, value.replace(/^'|'$/g, "")]));
  }

  // call calls an operation and returns its answer.
  async call(operation, input, target = "AtriumSettings", service = "atrium") {
    const body = JSON.stringify(input);
    const url = new URL(this.site.url);
    const time = new Date().toISOString().replace(/[:-]|\.\d{3}/g, "");
    const headers = { "content-type": "application/x-amz-json-1.1", host: url.host, "x-amz-date": time, "x-amz-target": `${target}.${operation}` };
    const names = Object.keys(headers).sort().join(";");
    const request = ["POST", "/", "", ...Object.keys(headers).sort().map((name) => `${name}:${headers[name]}`), "", names, hash(body)].join("\n");
    const scope = `${time.slice(0, 8)}/us-east-1/${service}/aws4_request`;
    const toSign = ["AWS4-HMAC-SHA256", time, scope, hash(request)].join("\n");
    const key = scope.split("/").reduce(hmac, "AWS4" + this.key.AWS_SECRET_ACCESS_KEY);
    const signature = createHmac("sha256", key).update(toSign).digest("hex");
    const response = await fetch(url, {
      method: "POST", body,
      headers: { ...headers, authorization: `AWS4-HMAC-SHA256 Credential=${this.key.AWS_ACCESS_KEY_ID}/${scope}, SignedHeaders=${names}, Signature=${signature}` },
    });
    const answer = await response.json();
    assert.equal(response.status, 200, `${operation}: ${JSON.stringify(answer)}`);
    return answer;
  }

  // instance is the site's instance of Identity Center.
  async instance() {
    if (!this.known) this.known = (await this.call("ListInstances", {}, "SWBExternalService", "sso")).Instances[0];
    return this.known;
  }

  // authentication changes how people sign in.
  async authentication(configuration) {
    await this.call("UpdateSSOConfiguration", {
      InstanceArn: (await this.instance()).InstanceArn, ConfigurationType: "APP_AUTHENTICATION_CONFIGURATION", SsoConfiguration: configuration,
    });
  }

  // ownDevices lets people look after their own MFA devices, or does not.
  async ownDevices(allowed) {
    await this.call("PutMfaDeviceManagementForDirectory", {
      InstanceArn: (await this.instance()).InstanceArn, UserPermission: allowed ? "ALL_ACTIONS" : "READ_ACTIONS",
    });
  }

  // user returns the id of a user with a name.
  async user(name) {
    const store = (await this.instance()).IdentityStoreId;
    const found = await this.call("ListUsers", { IdentityStoreId: store, Filters: [{ AttributePath: "UserName", AttributeValue: name }] }, "AWSIdentityStore", "identitystore");
    return found.Users[0].UserId;
  }
}
