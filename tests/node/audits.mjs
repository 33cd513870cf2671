// The server audits of npm's graphql-http: node audits.mjs URL. Prints [id, name, status, reason] of each, as JSON.
import { auditServer } from "graphql-http";

const results = await auditServer({ url: process.argv[2] });
console.log(JSON.stringify(results.map(({ id, name, status, reason }) => [id, name, status, reason ?? null])));
