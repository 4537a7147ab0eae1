// Runs the audits of graphql-http against the endpoint that the first argument names, and prints
// their results as JSON: [{"name": "MUST …", "status": "ok" | "notice" | "warn" | "error", "reason": "…"}].
import { auditServer } from 'graphql-http';

const results = await auditServer({ url: process.argv[2] });
console.log(JSON.stringify(results.map(({ name, status, reason }) => ({ name, status, reason }))));
