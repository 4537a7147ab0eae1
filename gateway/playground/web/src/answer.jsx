// What is shown around an answer: a hint before the first one, then its status, time, size and request id.
import { isMacOs, pick, useGraphiQL } from '@graphiql/react';
import { useEffect, useSyncExternalStore } from 'react';

// The figures of each tab's last answer, by the tab's id. A new Map replaces the old one on each change, as
// useSyncExternalStore asks.
let figures = new Map();
let openTab; // the id of the tab that an operation is run from
const listeners = new Set();

const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

function record(tab, figure) {
  figures = new Map(figures).set(tab, figure);
  listeners.forEach((listener) => listener());
}

// measuredFetch is fetch for the fetcher of GraphiQL. It measures an operation until the last byte of its answer, on a copy,
// so that an answer in parts still arrives part by part.
export async function measuredFetch(url, init) {
  if (isIntrospection(init?.body)) return fetch(url, init);
  const tab = openTab;
  const start = performance.now();
  const answer = await fetch(url, init);
  answer
    .clone()
    .arrayBuffer()
    .then((body) => {
      record(tab, {
        status: answer.status,
        milliseconds: performance.now() - start,
        bytes: body.byteLength,
        requestId: answer.headers.get('X-Request-Id'),
      });
    })
    .catch(() => {}); // the answer broke off, or was stopped: GraphiQL reports it
  return answer;
}

// GraphiQL reads the schema through the same fetcher.
const isIntrospection = (body) => typeof body === 'string' && body.includes('"operationName":"IntrospectionQuery"');

// Answer stands below the response, in GraphiQL's footer.
export function Answer() {
  const { tabs, activeTabIndex, isFetching } = useGraphiQL(pick('tabs', 'activeTabIndex', 'isFetching'));
  const tab = tabs[activeTabIndex];
  const figure = useSyncExternalStore(subscribe, () => figures).get(tab?.id);
  useEffect(() => {
    openTab = tab?.id;
  }, [tab?.id]);
  if (isFetching) return null;
  if (!tab?.response) return <Hint />;
  return figure && <Figures {...figure} />;
}

const Hint = () => (
  <p className="gatehouse-hint">
    Press <b>▶</b> or <kbd>{isMacOs ? '⌘' : 'Ctrl'}</kbd>-<kbd>Enter</kbd> to run the operation. The answer appears here.
  </p>
);

const Figures = ({ status, milliseconds, bytes, requestId }) => (
  <span className="gatehouse-figures" role="status">
    <span>{status}</span>
    <span>{milliseconds.toFixed(0)} ms</span>
    <span>{size(bytes)}</span>
    {requestId && <span title="X-Request-Id: the log has this request under it">request {requestId}</span>}
  </span>
);

const size = (bytes) => (bytes < 1000 ? `${bytes} B` : bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
