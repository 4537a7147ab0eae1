import 'graphiql/setup-workers/vite';
import { explorerPlugin } from '@graphiql/plugin-explorer';
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import { pick, useGraphiQL } from '@graphiql/react';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { useEffect } from 'react';
import { createRoot } from 'react-dom/client';

import './style.css';
import { Answer, measuredFetch } from './answer.jsx';
import { operationName } from './document.js';
import { examplesPlugin } from './examples.jsx';
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

const panes = ({ query, variables, headers }) => ({
  initialQuery: query,
  initialVariables: variables,
  initialHeaders: headers,
});

// WrapLines makes the editors wrap long lines, so that a comment can be read in a narrow window.
function WrapLines() {
  const editors = useGraphiQL(pick('queryEditor', 'variableEditor', 'headerEditor'));
  useEffect(() => {
    Object.values(editors).forEach((editor) => editor?.updateOptions({ wordWrap: 'on' }));
  });
  return null;
}

// Everything a Playground is given is made once, outside it: a new fetcher or plugin would restart GraphiQL.
function Playground({ title, schema, ...graphiql }) {
  return (
    <GraphiQL {...graphiql}>
      <GraphiQL.Logo>
        <span className="gatehouse-logo">{title}</span>
      </GraphiQL.Logo>
      <GraphiQL.Footer>
        <div className="gatehouse-footer">
          <Answer />
          <span className="gatehouse-links">
            {schema && (
              <a href={here(schema)} download="schema.graphql">
                Download the schema
              </a>
            )}
            <a href={here('playground/THIRD_PARTY_LICENSES.txt')} target="_blank" rel="noreferrer">
              Third-party licences
            </a>
          </span>
        </div>
        <WrapLines />
      </GraphiQL.Footer>
    </GraphiQL>
  );
}

// The width below which style.css puts the panes below each other.
const narrow = matchMedia('(max-width: 700px)').matches;

function show(root, config) {
  document.title = config.title;
  const examples = config.examples.length === 0 ? [] : [examplesPlugin(config.examples, config.headers)];
  createRoot(root).render(
    <Playground
      title={config.title}
      schema={config.schema}
      fetcher={createGraphiQLFetcher({ url: here(config.endpoint), fetch: measuredFetch })}
      plugins={[HISTORY_PLUGIN, explorerPlugin({ showAttribution: false }), ...examples]}
      storage={storage}
      defaultQuery={'# Ctrl-Space completes, Ctrl-Enter runs.\n'}
      defaultHeaders={config.headers}
      defaultEditorToolsVisibility={!narrow}
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
