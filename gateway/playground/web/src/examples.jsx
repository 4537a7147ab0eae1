// The side panel that opens an example in a new tab, as often as the visitor likes.
import { pick, useGraphiQL, useGraphiQLActions } from '@graphiql/react';

import { operationName } from './document.js';

// examplesPlugin is a plugin of GraphiQL, made once.
export function examplesPlugin(examples, headers) {
  return { title: 'Examples', icon: Icon, content: () => <Examples examples={examples} headers={headers} /> };
}

function Examples({ examples, headers }) {
  const { addTab } = useGraphiQLActions();
  const editors = useGraphiQL(pick('queryEditor', 'variableEditor', 'headerEditor'));
  const open = (example) => {
    addTab();
    editors.queryEditor?.setValue(example.query);
    editors.variableEditor?.setValue(example.variables);
    editors.headerEditor?.setValue(example.headers || headers);
  };
  return (
    <section aria-label="Examples">
      <div className="gatehouse-examples-title">Examples</div>
      <ul className="gatehouse-examples">
        {examples.map((example, i) => (
          <li key={i}>
            <button type="button" className="graphiql-un-styled" onClick={() => open(example)}>
              <b>{operationName(example.query) ?? `Example ${i + 1}`}</b>
              <span>{description(example.query)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

// description is the comment that a document begins with.
const description = (query) => (/^(?:\s*#.*\n?)*/.exec(query)?.[0] ?? '').replace(/^\s*#+ ?/gm, '').trim();

const Icon = () => (
  <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
    <rect x="3.75" y="3.75" width="16.5" height="16.5" rx="2" />
    <path d="M10 8.5v7l5.5-3.5z" />
  </svg>
);
