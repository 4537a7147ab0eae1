// Answers the operations that come on standard input, a JSON object {query, variables} in each
// line, over the schema of enginetest/inputs, whose file is the argument. A field's value is
// its arguments, as graphql-js reads them.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { buildSchema, graphqlSync, Kind, valueFromAST, valueFromASTUntyped } from 'graphql'

const schema = buildSchema(readFileSync(process.argv[2], 'utf8'), { assumeValidSDL: true })

const refuse = value => { throw new TypeError(`${JSON.stringify(value)} does not fit`) }
const text = fits => value => typeof value === 'string' && fits(value) ? value : refuse(value)
const isDay = day => /^\d{4}-\d\d-\d\d$/.test(day) && !isNaN(Date.parse(day)) && new Date(day).toISOString().startsWith(day)

// The scalars that are not GraphQL's own, by the rules of package engine/scalar. A number of a
// document is read from its text.
const scalars = {
  DateTime: text(v => /^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/.test(v) && isDay(v.slice(0, 10))),
  Date: text(isDay),
  UUID: text(v => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(v)),
  URL: text(v => v !== '' && !/^\d[^/?#]*:/.test(v)), // no scheme begins with a digit
  Decimal: v => ['string', 'number'].includes(typeof v) && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(v) ? String(v) : refuse(v),
  Int64: v => {
    const whole = typeof v === 'string' ? /^[+-]?\d+$/.test(v) : Number.isInteger(v)
    return whole && BigInt.asIntN(64, BigInt(v)) === BigInt(v) ? Number(v) : refuse(v)
  },
  JSON: v => v,
}
for (const [name, parse] of Object.entries(scalars)) {
  const type = schema.getType(name)
  type.parseValue = parse
  type.parseLiteral = (node, variables) => {
    const isNumber = node.kind === Kind.INT || node.kind === Kind.FLOAT
    return parse(isNumber && name === 'Decimal' ? node.value : valueFromASTUntyped(node, variables))
  }
}
schema.getType('Kind').getValue('ODD').value = 'odd-one' // what the service calls it

// The defaults were read before the scalars had their rules. Those of input objects hold
// each other's.
for (let round = 0; round < 3; round++) {
  for (const type of Object.values(schema.getTypeMap())) {
    for (const field of Object.values(type.getFields?.() ?? {})) {
      for (const place of field.args ?? [field]) {
        if (place.astNode?.defaultValue) place.defaultValue = valueFromAST(place.astNode.defaultValue, place.type)
      }
    }
  }
}
for (const field of Object.values(schema.getQueryType().getFields())) field.resolve = (_, args) => args

for await (const line of createInterface({ input: process.stdin })) {
  const { query, variables } = JSON.parse(line)
  const operationName = query.startsWith('query A') ? 'A' : undefined
  const { data, errors } = graphqlSync({ schema, source: query, variableValues: variables, operationName })
  process.stdout.write(JSON.stringify({ data, errors: errors?.map(e => e.message) }) + '\n')
}
