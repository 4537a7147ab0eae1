// Apollo Client with the persisted queries link: by the ids of a manifest if there is one, else by hashes that it
// computes. It prints its requests and their results, one a line.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { generatePersistedQueryIdsFromManifest } from '@apollo/persisted-query-lists';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

const [url, manifest, method] = process.argv.slice(2);
const sent = [];
const counting = (uri, init) => {
  const text = (init.body ?? '') + uri;
  sent.push(`${init.method} ${/"query"|[?&]query=/.test(text) ? 'text' : 'id'}`);
  return fetch(uri, init);
};
const ids = manifest
  ? generatePersistedQueryIdsFromManifest({ loadManifest: async () => JSON.parse(await readFile(manifest)) })
  : { sha256: (text) => createHash('sha256').update(text).digest('hex') };
const client = new ApolloClient({
  link: ApolloLink.from([
    new PersistedQueryLink({ ...ids, useGETForHashedQueries: method === 'GET' }),
    new HttpLink({ uri: url, fetch: counting, headers: { authorization: `Bearer ${process.env.TOKEN}` } }),
  ]),
  cache: new InMemoryCache(),
});
const query = gql`
  query Orders($limit: Int) {
    me { name orders(limit: $limit) { id placedAt total { amount currency } } }
  }
`;
for (const limit of [1, 2]) {
  const { data } = await client.query({ query, variables: { limit } });
  console.log(`${sent.splice(0).join(', ')}: ${data.me.orders.length}`);
}
client.stop();
