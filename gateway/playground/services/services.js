// The live page of services: it reads services/state each second, and shows what has changed since.

const interval = 1000; // milliseconds between two readings
const windowLength = 10; // readings over which rates are computed
const historyLength = 60; // bars

const here = (path) => new URL(path, document.baseURI).href;
const byId = (id) => document.getElementById(id);

// element returns an HTML element with properties and children.
function element(name, properties, ...children) {
  const e = Object.assign(document.createElement(name), properties);
  e.append(...children);
  return e;
}

// setText changes a text only if it is another one, so that a selection by the reader stays.
function setText(e, text) {
  if (e.textContent !== text) e.textContent = text;
}

// Counts that speak against an endpoint, by outcome. Others say nothing about it.
const failures = new Set(['server_error', 'unreachable', 'reset', 'broken_off', 'malformed', 'timed_out']);
const sum = (counts, counts_if = () => true) =>
  Object.entries(counts ?? {}).reduce((all, [name, n]) => (counts_if(name) ? all + n : all), 0);
const failed = (e) => sum(e.attempts, (name) => failures.has(name));
const all = (e) => sum(e.attempts);

// samples are the last readings, the oldest first.
let samples = [];

// before returns a source, or one of its endpoints, as it was when the window began; undefined if it
// was not there.
function before(source, endpoint) {
  const then = samples[0]?.sources.find((s) => s.source === source);
  return endpoint === undefined ? then : then?.endpoints.find((e) => e.endpoint === endpoint);
}

const seconds = () => Math.max((new Date(samples.at(-1).time) - new Date(samples[0].time)) / 1000, 0.001);

// rate returns a number of events by second.
const rate = (now, then) => (samples.length < 2 ? 0 : Math.max(now - (then ?? now), 0) / seconds());

// quantile estimates a quantile of the durations since then, in seconds; undefined without any.
function quantile(q, now, then, bounds) {
  if (!now?.buckets) return undefined;
  const buckets = now.buckets.map((n, i) => Math.max(n - (then?.buckets?.[i] ?? (samples.length < 2 ? n : 0)), 0));
  const total = buckets.reduce((a, b) => a + b, 0);
  if (total === 0) return undefined;
  let rest = q * total;
  for (let i = 0; i < buckets.length; i++) {
    if (rest <= buckets[i] && buckets[i] > 0) {
      const low = i === 0 ? 0 : bounds[i - 1];
      if (i === bounds.length) return low;
      return low + ((bounds[i] - low) * rest) / buckets[i];
    }
    rest -= buckets[i];
  }
  return bounds.at(-1);
}

const formatRate = (n) => (n === 0 ? '0' : n < 10 ? n.toFixed(1) : n.toFixed(0));
const formatShare = (part, whole) => (whole === 0 ? '–' : `${((100 * part) / whole).toFixed(part > 0 && part / whole < 0.1 ? 1 : 0)}%`);
const formatTime = (s) => (s === undefined ? '–' : s < 0.995 ? `${Math.max(s * 1000, 0.1).toFixed(s < 0.01 ? 1 : 0)} ms` : `${s.toFixed(1)} s`);
const formatAge = (s) => (s < 60 ? `${Math.max(Math.round(s), 0)} s ago` : s < 3600 ? `${Math.round(s / 60)} min ago` : `${Math.round(s / 3600)} h ago`);

// cards have the elements of each source, and rows those of each endpoint, by name.
const cards = new Map();

const columns = [
  ['endpoint', 'Endpoint'],
  ['state', 'State'],
  ['history', 'Last minute'],
  ['number', 'Req/s'],
  ['number', 'Errors'],
  ['number', 'p95'],
  ['number', 'In flight'],
  ['error', 'Last error'],
];

function newCard(name) {
  const figures = element('span', { className: 'figures' });
  const body = element('tbody');
  const card = element(
    'section',
    { className: 'source', id: `source-${name}` },
    element('div', {}, element('h2', {}, name), figures),
    element(
      'table',
      {},
      element('colgroup', {}, ...columns.map(([kind]) => element('col', { className: kind }))),
      element('thead', {}, element('tr', {}, ...columns.map(([, title]) => element('th', { scope: 'col' }, title)))),
      body,
    ),
  );
  figures.replaceWith(...['calls', 'success', 'p95', 'running', 'retries', 'hedges', 'breaker', 'operations'].map((key) => element('span', { className: `figure ${key}` })));
  byId('sources').append(card);
  return { card, body, rows: new Map() };
}

function newRow(name) {
  const cell = (label, className = 'number') => {
    const td = element('td', { className });
    td.dataset.label = label;
    return td;
  };
  const row = {
    state: element('span', { className: 'state' }),
    detail: element('small'),
    history: document.createElementNS('http://www.w3.org/2000/svg', 'svg'),
    bars: [],
    rate: cell('Req/s'),
    errors: cell('Errors'),
    p95: cell('p95'),
    inFlight: cell('In flight'),
    error: cell('Last error', 'error'),
    place: element('small'),
  };
  row.history.setAttribute('viewBox', `0 0 ${historyLength} 20`);
  row.history.setAttribute('preserveAspectRatio', 'none');
  row.history.setAttribute('aria-hidden', 'true');
  row.tr = element(
    'tr',
    { id: `endpoint-${name}` },
    element('th', { scope: 'row' }, name, row.place),
    element('td', { className: 'state-cell' }, row.state, row.detail),
    element('td', { className: 'history' }, row.history),
    row.rate,
    row.errors,
    row.p95,
    row.inFlight,
    row.error,
  );
  return row;
}

// kinds are the looks of states.
const kinds = { healthy: 'good', ejected: 'bad', unhealthy: 'bad', draining: 'warn', trial: 'warn', closed: 'good', open: 'bad', 'half-open': 'warn' };

function figure(card, name, label, value, look = '') {
  const e = card.querySelector(`.${name}`);
  e.hidden = value === undefined;
  if (value !== undefined && e.dataset.value !== value + look) {
    e.dataset.value = value + look;
    e.replaceChildren(`${label} `, element('b', { className: look }, value));
  }
}

function showSource(s, bounds) {
  if (!cards.has(s.source)) cards.set(s.source, newCard(s.source));
  const { card, body, rows } = cards.get(s.source);
  const then = before(s.source);
  const calls = rate(sum(s.calls), sum(then?.calls));
  const succeeded = rate(s.calls.success, then?.calls.success);
  figure(card, 'calls', 'calls/s', formatRate(calls));
  figure(card, 'success', 'succeeded', formatShare(succeeded, calls));
  figure(card, 'p95', 'p95', formatTime(quantile(0.95, s.durations, then?.durations, bounds)));
  figure(card, 'running', 'in flight', String(s.running));
  figure(card, 'retries', 'retries/s', formatRate(rate(s.retries, then?.retries)));
  figure(card, 'hedges', 'hedges/s', formatRate(rate(s.hedges, then?.hedges)));
  figure(card, 'breaker', 'breaker', s.breaker, kinds[s.breaker] === 'bad' ? 'failing' : '');
  figure(card, 'operations', 'operations not called', s.operations?.length ? s.operations.map((o) => `${o.operation} (${o.breaker})`).join(', ') : undefined, 'failing');

  const present = new Set();
  for (const e of s.endpoints) {
    present.add(e.endpoint);
    if (!rows.has(e.endpoint)) {
      rows.set(e.endpoint, newRow(e.endpoint));
      body.append(rows.get(e.endpoint).tr);
    }
    showEndpoint(rows.get(e.endpoint), s.source, e, bounds);
  }
  for (const [name, row] of rows) {
    if (!present.has(name)) {
      row.tr.remove();
      rows.delete(name);
    }
  }
}

function showEndpoint(row, source, e, bounds) {
  const now = new Date(samples.at(-1).time);
  const then = before(source, e.endpoint);
  setText(row.state, e.state.replace('_', ' '));
  row.state.className = `state ${kinds[e.state] ?? 'warn'}`;
  const until = e.ejectedUntil && (new Date(e.ejectedUntil) - now) / 1000;
  setText(row.detail, until > 0 ? `back in ${until.toFixed(0)} s` : '');
  setText(row.place, [e.weight > 1 && `weight ${e.weight}`, e.zone].filter(Boolean).join(', '));

  const requests = rate(all(e), then && all(then));
  const errors = rate(failed(e), then && failed(then));
  setText(row.rate, formatRate(requests));
  setText(row.errors, formatShare(errors, requests));
  row.errors.classList.toggle('failing', errors > 0);
  setText(row.p95, formatTime(quantile(0.95, e.durations, then?.durations, bounds)));
  setText(row.inFlight, e.inFlight === undefined ? '–' : String(e.inFlight));
  showError(row.error, e.lastError, now);
  showHistory(row, source, e);
}

function showError(cell, error, now) {
  if (!error) {
    setText(cell, '');
    return;
  }
  const what = [error.outcome.replace('_', ' '), error.status].filter(Boolean).join(' ');
  setText(cell, `${what}, ${formatAge((now - new Date(error.time)) / 1000)}`);
  cell.title = error.reason ?? '';
}

// showHistory adds a bar with the requests since the last reading.
function showHistory(row, source, e) {
  const last = samples.at(-2)?.sources.find((s) => s.source === source)?.endpoints.find((o) => o.endpoint === e.endpoint);
  row.bars.push(last ? { all: Math.max(all(e) - all(last), 0), failed: Math.max(failed(e) - failed(last), 0) } : { all: 0, failed: 0 });
  row.bars = row.bars.slice(-historyLength);
  const highest = Math.max(5, ...row.bars.map((bar) => bar.all));
  const shown = [];
  row.bars.forEach((bar, i) => {
    const x = historyLength - row.bars.length + i;
    const height = (n) => (20 * n) / highest;
    shown.push(...rectangle('ok', x, 20 - height(bar.all), height(bar.all - bar.failed)));
    shown.push(...rectangle('failed', x, 20 - height(bar.failed), height(bar.failed)));
  });
  row.history.replaceChildren(...shown);
}

function rectangle(className, x, y, height) {
  if (height <= 0) return [];
  const r = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  r.setAttribute('class', className);
  Object.entries({ x: x + 0.1, y, width: 0.8, height }).forEach(([name, value]) => r.setAttribute(name, value));
  return [r];
}

function show(state) {
  samples.push(state);
  samples = samples.slice(-windowLength - 1);
  setText(byId('age'), 'live');
  byId('notice').hidden = !state.notice;
  setText(byId('notice'), state.notice ?? '');
  for (const s of state.sources) showSource(s, state.bounds);
  for (const [name, { card }] of cards) {
    if (!state.sources.some((s) => s.source === name)) {
      card.remove();
      cards.delete(name);
    }
  }
}

async function read() {
  try {
    const answer = await fetch(here('services/state'), { signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    show(await answer.json());
  } catch (error) {
    setText(byId('age'), `the gateway does not answer: ${error.message}`);
  }
  setTimeout(read, interval);
}

read();
