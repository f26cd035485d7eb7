// A typed client, generated from the service's own OpenAPI document: extracts an invoice, repeats it, reads a problem.
// `schema.d.ts` and `pinned.d.ts` are made by openapi-typescript, `invoice.ts` is what the service hands out as model.ts.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { Invoice } from "./invoice.js";
import type { paths as PinnedPaths } from "./pinned.js";
import type { paths } from "./schema.js";

const [url, file] = process.argv.slice(2) as [string, string];
// The second type chooses among the media types of answers: a record, not the stream of events, or a problem.
type Kinds = "application/json" | "application/problem+json";
const client = createClient<paths, Kinds>({ baseUrl: url, headers: { Authorization: "Bearer not needed on loopback" } });
const text = readFileSync(file, "utf8");

async function extract(path: "/v1/extract/invoice", text: string, key?: string) {
  return client.POST(path, {
    params: { header: key === undefined ? {} : { "Idempotency-Key": key } },
    body: { input: { text }, options: { store: true } },
  });
}

const { data, error } = await extract("/v1/extract/invoice", text, "one");
if (error !== undefined) throw new Error(error.detail);
const record: Invoice = data.data;
const total: number = data.data.total;
assert.equal(record.total, total);
const again = await extract("/v1/extract/invoice", text, "one");
assert.equal(again.data?.id, data.id);
assert.equal(again.response.headers.get("idempotency-replayed"), "true");
const other = await extract("/v1/extract/invoice", "Total: 1", "one");
assert.equal(other.error?.code, "idempotency_mismatch");
const stored = await client.GET("/v1/extractions/{id}", { params: { path: { id: data.id } } });
assert.equal(stored.data?.id, data.id);

// The document of one version has the operation of that version.
const pinned = createClient<PinnedPaths, Kinds>({ baseUrl: url });
const first = await pinned.POST("/v1/extract/invoice@1", { body: { input: { text } } });
assert.deepEqual(first.data?.data, record);
assert.equal(first.data?.schema.version, 1);

// What the types forbid.
// @ts-expect-error: a total is a number
const wrong: string = data.data.total;
// @ts-expect-error: no schema has this name
void (() => client.POST("/v1/extract/nothing", { body: {} }));
void wrong;

console.log(JSON.stringify(record));
