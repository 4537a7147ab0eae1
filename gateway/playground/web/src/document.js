// operationName is the name of a document's first operation, undefined when it has none.
export const operationName = (query) => /^\s*(?:query|mutation|subscription)\s+(\w+)/m.exec(query ?? '')?.[1];
