// Signs standard input as GitHub does, with the secret in the first argument.
import { sign } from "@octokit/webhooks-methods";

const parts = [];
for await (const part of process.stdin) parts.push(part);
process.stdout.write(await sign(process.argv[2], Buffer.concat(parts).toString()));
