// Writes the built-in product table of the tick model from data/products.json: generate_products.js IN OUT
import { readFileSync, writeFileSync } from 'node:fs';

const [input, output] = process.argv.slice(2);
/** Daily price limit of products whose row names none, as a fraction of the previous settlement price. */
const defaultPriceLimit = 0.1;
/** The model counts prices in these units, so that every price is the nearest double to its decimal. */
const unitsPerYuan = 10000;
const rows = JSON.parse(readFileSync(input, 'utf8')).map((row) => {
  const tickUnits = Math.round(row.price_tick * unitsPerYuan);
  const referenceTicks = Math.round((row.reference_price * unitsPerYuan) / tickUnits);
  const limit = row.price_limit ?? defaultPriceLimit;
  return `        {"${row.product}", {Exchange::${row.exchange}, ${row.volume_multiple}, ${tickUnits}, ${referenceTicks}, ${limit}, "${row.underlying ?? ''}"}},`;
});
writeFileSync(
  output,
  `// Made from data/products.json by generate_products.js.\n#include "product.h"\n\nnamespace sim {\n` +
    `const ProductTable& builtInProducts() {\n    static const ProductTable products = {\n${rows.join('\n')}\n    };\n` +
    `    return products;\n}\n}  // namespace sim\n`,
);
