import 'graphiql/setup-workers/vite';
import { explorerPlugin } from '@graphiql/plugin-explorer';
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';

import './style.css';
import { persistsHeaders, savedTab, storage } from './storage.js';

// The page's address is the base of every other one, so that a reverse proxy may put all of them under a prefix.
const here = (path) => new URL(path, document.baseURI).href;

async function loadConfig() {
  const answer = await fetch(here('playground/config.json'));
  if (!answer.ok) throw new Error(`playground/config.json: ${answer.status} ${answer.statusText}`);
  return answer.json();
}

// firstTabs opens what the visitor left or, on a first visit, the examples. GraphiQL takes what stands in the panes from
// the initial values and not from the tab that is open, so that tab has to be given twice.
function firstTabs({ examples, headers }) {
  const saved = savedTab();
  if (saved) return panes({ ...saved, headers: headersOf(saved, { examples, headers }) });
  if (examples.length === 0) return {};
  const tabs = examples.map((example) => ({ ...example, headers: example.headers || headers }));
  return { defaultTabs: tabs, ...panes(tabs[0]) };
}

// headersOf gives a tab the headers that were not kept: those of the example that it began as, which the operation's
// name tells, since their tokens are from the server and valid today.
const headersOf = (tab, { examples, headers }) =>
  tab.headers ?? (examples.find((example) => operationName(example.query) === operationName(tab.query))?.headers || headers);

const operationName = (query) => /^\s*(?:query|mutation|subscription)\s+(\w+)/m.exec(query ?? '')?.[1];

const panes = ({ query, variables, headers }) => ({
  initialQuery: query,
  initialVariables: variables,
  initialHeaders: headers,
});

// Everything a Playground is given is made once, outside it: a new fetcher or plugin would restart GraphiQL.
function Playground({ title, ...graphiql }) {
  return (
    <GraphiQL {...graphiql}>
      <GraphiQL.Logo>
        <span className="gatehouse-logo">{title}</span>
      </GraphiQL.Logo>
      <GraphiQL.Footer>
        <a className="gatehouse-licences" href={here('playground/THIRD_PARTY_LICENSES.txt')} target="_blank" rel="noreferrer">
          Third-party licences
        </a>
      </GraphiQL.Footer>
    </GraphiQL>
  );
}

function show(root, config) {
  document.title = config.title;
  createRoot(root).render(
    <Playground
      title={config.title}
      fetcher={createGraphiQLFetcher({ url: here(config.endpoint) })}
      plugins={[HISTORY_PLUGIN, explorerPlugin({ showAttribution: false })]}
      storage={storage}
      defaultQuery={'# Ctrl-Space completes, Ctrl-Enter runs.\n'}
      defaultHeaders={config.headers}
      defaultEditorToolsVisibility
      showPersistHeadersSettings
      shouldPersistHeaders={persistsHeaders()}
      {...firstTabs(config)}
    />,
  );
}

const root = document.getElementById('playground');

loadConfig().then(
  (config) => show(root, config),
  (reason) => {
    root.firstChild.textContent = `The playground cannot start: ${reason.message}`;
  },
);
