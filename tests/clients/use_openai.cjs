// openai-node, as its README uses it: strict extraction, zod, streams, refusals, retries, errors, files, batches.
// CommonJS, because NODE_PATH, which names the folder of the packages, does not work for ES modules.
"use strict";

const assert = require("node:assert/strict");
const { OpenAI, RateLimitError, toFile } = require("openai");
const { zodResponseFormat, zodTextFormat } = require("openai/helpers/zod");
const { z } = require("zod");

const MODEL = "gpt-4.1-mini";
const TEXT = `INVOICE
Invoice number: 2026-0417
Currency: EUR

Description        Quantity  Unit price   Amount
Ergonomic chair           2      100.00   200.00

Subtotal 200.00
VAT 19 % 38.00
Total 238.00
`;
const Invoice = z.object({
  invoice_number: z.string(),
  total: z.number().nullable(),
  currency: z.enum(["EUR", "USD", "GBP"]).nullable(),
  items: z.array(z.object({ description: z.string(), quantity: z.number().nullable() })),
});
const RECORD = {
  invoice_number: "2026-0417",
  total: 238,
  currency: "EUR",
  items: [{ description: "Ergonomic chair", quantity: 2 }],
};
const FORMAT = {
  type: "json_schema",
  name: "invoice",
  strict: true,
  schema: {
    type: "object",
    properties: { invoice_number: { type: "string" }, total: { type: ["number", "null"] } },
    required: ["invoice_number", "total"],
    additionalProperties: false,
  },
};
const client = new OpenAI();
const messages = [{ role: "user", content: TEXT }];

const checks = {
  async strict_extraction() {
    const made = await client.responses.create({ model: MODEL, input: TEXT, text: { format: FORMAT } });
    assert.deepEqual(JSON.parse(made.output_text), { invoice_number: "2026-0417", total: 238 });
  },
  async zod_records() {
    const text = { format: zodTextFormat(Invoice, "invoice") };
    assert.deepEqual((await client.responses.parse({ model: MODEL, input: TEXT, text })).output_parsed, RECORD);
    const response_format = zodResponseFormat(Invoice, "invoice");
    const chat = await client.chat.completions.parse({ model: MODEL, messages, response_format });
    assert.deepEqual(chat.choices[0].message.parsed, RECORD);
  },
  async streaming() {
    const stream = client.responses.stream({
      model: MODEL,
      input: TEXT,
      text: { format: zodTextFormat(Invoice, "invoice") },
    });
    const deltas = [];
    for await (const event of stream) {
      if (event.type === "response.output_text.delta") deltas.push(event.delta);
    }
    const final = await stream.finalResponse();
    assert.ok(deltas.length > 3);
    assert.equal(deltas.join(""), final.output_text);
    assert.deepEqual(final.output_parsed, RECORD);
  },
  async refusal() {
    const response_format = zodResponseFormat(Invoice, "invoice");
    const made = await client.chat.completions.parse({ model: "sandbox-refusal", messages, response_format });
    assert.match(made.choices[0].message.refusal, /can't help/);
    assert.equal(made.choices[0].message.parsed, null);
  },
  async own_retries() {
    const made = await client.responses.create({ model: "sandbox-429-2", input: TEXT, text: { format: FORMAT } });
    assert.equal(JSON.parse(made.output_text).total, 238);
  },
  async quota() {
    const request = client.responses.create({ model: "sandbox-quota", input: TEXT }, { maxRetries: 0 });
    await assert.rejects(request, (error) => {
      assert.ok(error instanceof RateLimitError);
      assert.equal(error.status, 429);
      assert.equal(error.code, "insufficient_quota");
      assert.match(error.requestID, /^req_/);
      return true;
    });
  },
  async files_and_batch() {
    const lines = [0, 1, 2].map((number) => ({
      custom_id: `doc-${number}`,
      method: "POST",
      url: "/v1/responses",
      body: { model: MODEL, input: TEXT.replace("0417", `000${number}`), text: { format: FORMAT } },
    }));
    const content = lines.map((line) => JSON.stringify(line)).join("\n");
    const file = await client.files.create({ file: await toFile(Buffer.from(content), "in.jsonl"), purpose: "batch" });
    let batch = await client.batches.create({
      input_file_id: file.id,
      endpoint: "/v1/responses",
      completion_window: "24h",
    });
    for (let turn = 0; turn < 400 && !["completed", "failed", "expired"].includes(batch.status); turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      batch = await client.batches.retrieve(batch.id);
    }
    assert.equal(batch.status, "completed");
    const output = await (await client.files.content(batch.output_file_id)).text();
    const numbers = {};
    for (const row of output.trim().split("\n").map((line) => JSON.parse(line))) {
      numbers[row.custom_id] = JSON.parse(row.response.body.output[0].content[0].text).invoice_number;
    }
    assert.deepEqual(numbers, { "doc-0": "2026-0000", "doc-1": "2026-0001", "doc-2": "2026-0002" });
  },
};

(async () => {
  for (const [name, check] of Object.entries(checks)) {
    await check();
    console.log(name);
  }
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
