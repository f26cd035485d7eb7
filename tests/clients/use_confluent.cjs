// @kafkajs/confluent-schema-registry, as its documentation uses it, against `/confluent`.
// Told by the environment: REGISTRY_URL, REGISTRY_KEY. Prints the names of the checks that passed.

const assert = require('node:assert')
const { SchemaRegistry, SchemaType } = require('@kafkajs/confluent-schema-registry')

const auth = { username: 'anybody', password: process.env.REGISTRY_KEY }
const client = () => new SchemaRegistry({ host: process.env.REGISTRY_URL, auth })
const subject = 'js/orders-value'

const order = (type) => ({
  type: SchemaType.JSON,
  schema: JSON.stringify({
    type: 'object',
    properties: { order: { type } },
    required: ['order'],
    additionalProperties: false,
  }),
})

const checks = {
  async registers() {
    const { id } = await client().register(order('string'), { subject })
    assert.strictEqual((await client().register(order('string'), { subject })).id, id)
    assert.strictEqual(await client().getLatestSchemaId(subject), id)
    assert.strictEqual(await client().getRegistryId(subject, 1), id)
    assert.strictEqual(await client().getRegistryIdBySchema(subject, order('string')), id)
  },
  async round_trip() {
    const id = await client().getLatestSchemaId(subject)
    const message = await client().encode(id, { order: 'A-4711' })
    assert.strictEqual(message.readInt32BE(1), id)
    assert.deepStrictEqual(await client().decode(message), { order: 'A-4711' })
  },
  async refusals() {
    await assert.rejects(client().register(order('integer'), { subject }), /is incompatible with an earlier schema/)
    await assert.rejects(client().getLatestSchemaId('nothing'), { status: 404 })
  },
}

;(async () => {
  for (const [name, check] of Object.entries(checks)) {
    await check()
    console.log(name)
  }
})().catch((error) => {
  console.error(error)
  process.exit(1)
})
