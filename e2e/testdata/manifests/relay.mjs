// Relay with persisted operations: its artifacts have the id alone.
import relay from 'relay-runtime';
import history from './src/__generated__/historyQuery.graphql.js';

const { Environment, Network, RecordSource, Store, fetchQuery } = relay;
const [url] = process.argv.slice(2);
const environment = new Environment({
  store: new Store(new RecordSource()),
  network: Network.create(async ({ id }, variables) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${process.env.TOKEN}` },
      body: JSON.stringify({ doc_id: id, variables }),
    });
    return response.json();
  }),
});
const data = await fetchQuery(environment, history, { limit: 1 }).toPromise();
console.log(data.me.orders.length);
