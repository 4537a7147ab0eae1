// Answers what comes on standard input, a JSON object {sdl, query} in each line: the query over the
// schema that the SDL defines.
import { createInterface } from 'node:readline'
import { buildSchema, graphqlSync } from 'graphql'

for await (const line of createInterface({ input: process.stdin })) {
  const { sdl, query } = JSON.parse(line)
  const { data, errors } = graphqlSync({ schema: buildSchema(sdl), source: query })
  process.stdout.write(JSON.stringify({ data, errors: errors?.map(e => e.message) }) + '\n')
}
