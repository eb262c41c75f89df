// Prints who the caller is, with the credentials that the SDK finds by itself:
// those of AWS_PROFILE.
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const { Account, Arn } = await new STSClient({}).send(new GetCallerIdentityCommand({}));
console.log(JSON.stringify({ Account, Arn }));
