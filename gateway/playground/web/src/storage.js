// What GraphiQL keeps in the browser between visits, under names of our own: it always uses the same ones, and many
// servers under development share the origin localhost:8080, whose tabs would otherwise appear here.
const prefix = 'gatehouse/';

const tabs = 'graphiql:tabState';
const persist = 'graphiql:shouldPersistHeaders';
const withHeaders = [tabs, 'graphiql:headers', 'graphiql:queries', 'graphiql:favorites'];

export const storage = {
  getItem: (key) => localStorage.getItem(prefix + key),
  setItem(key, value) {
    localStorage.setItem(prefix + key, permitted(key, value));
    if (key === persist && !persistsHeaders()) withHeaders.forEach(forgetHeaders);
  },
  removeItem: (key) => localStorage.removeItem(prefix + key),
  clear: () => ownKeys().forEach((key) => localStorage.removeItem(key)),
  get length() {
    return ownKeys().length;
  },
};

const ownKeys = () => Object.keys(localStorage).filter((key) => key.startsWith(prefix));

// savedTab is the tab that was open when this visitor left, undefined on a first visit.
export function savedTab() {
  const state = JSON.parse(storage.getItem(tabs));
  return state?.tabs[state.activeTabIndex];
}

// persistsHeaders tells whether the visitor asked, in the settings, to keep headers: they hold tokens, so the answer
// is no until then.
export const persistsHeaders = () => storage.getItem(persist) === 'true';

// permitted is what may be kept of a value. GraphiQL itself keeps headers out of the tabs it saves, but not out of the
// history; and a save that waits for its turn does not notice when the visitor changes their mind.
function permitted(key, value) {
  if (persistsHeaders() || !withHeaders.includes(key)) return value;
  if (key === 'graphiql:headers') return '';
  return JSON.stringify(JSON.parse(value, (name, part) => (name === 'headers' ? null : part)));
}

function forgetHeaders(key) {
  const saved = storage.getItem(key);
  if (saved) storage.setItem(key, saved);
}
