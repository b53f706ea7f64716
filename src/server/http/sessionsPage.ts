import { exchanges, type Exchange, type ProductTable } from '../../market/instruments/products.js';
import type { SessionFilter, SessionsReport } from '../../market/sessions/sessionBoard.js';

/** Where the page's content comes from. */
export interface SessionsSource {
  readonly products: ProductTable;
  report(filter: SessionFilter): SessionsReport;
}

/** A parsed query, or why it cannot be answered. */
export type SessionsQuery = { readonly filter: SessionFilter } | { readonly refusal: string };

const parameters = ['product', 'exchange'];

/** Reads the query of GET /api/sessions, without its question mark. */
export function parseSessionsQuery(query: string, products: ProductTable): SessionsQuery {
  const given = new URLSearchParams(query);
  for (const name of new Set(given.keys())) {
    if (!parameters.includes(name))
      return { refusal: `there is no parameter ${JSON.stringify(name)}; there are ${parameters.join(', ')}` };
    if (given.getAll(name).length > 1) return { refusal: `${name} is given more than once` };
  }
  const exchange = given.get('exchange');
  if (exchange !== null && !isExchange(exchange))
    return { refusal: `exchange is one of ${exchanges.join(', ')}; not ${JSON.stringify(exchange)}` };
  const code = given.get('product');
  if (code === null) return { filter: exchange === null ? {} : { exchange } };
  const product = products.get(code);
  if (product === undefined) return { refusal: unknownProduct(code, products) };
  if (exchange !== null && product.exchange !== exchange)
    return { refusal: `product ${code} is of ${product.exchange}, not of ${exchange}` };
  return { filter: { product: code } };
}

function unknownProduct(code: string, products: ProductTable): string {
  // Codes are unique whatever the case of their letters.
  const similar = [...products.keys()].find((each) => each.toLowerCase() === code.toLowerCase());
  const hint =
    similar === undefined ? 'codes are those that ids begin with, such as rb or SR' : `use ${similar}`;
  return `there is no product ${JSON.stringify(code)}; ${hint}`;
}

function isExchange(name: string): name is Exchange {
  return exchanges.some((each) => each === name);
}
