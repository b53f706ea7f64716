// Writes the C++ product table of the tick model from data/products.json: generate_products.js IN OUT
import { readFileSync, writeFileSync } from 'node:fs';

const [input, output] = process.argv.slice(2);
/** Daily price limit of products whose row names none, as a fraction of the previous settlement price. */
const defaultPriceLimit = 0.1;
/** The model counts prices in these units, so that every price is the nearest double to its decimal. */
const unitsPerYuan = 10000;
const bonds = ['TS', 'TF', 'T', 'TL'];

function hoursOf({ product, exchange, night_close: nightClose }) {
  const day = exchange !== 'CFFEX' ? 'commodity' : bonds.includes(product) ? 'bond' : 'equity';
  const night = nightClose === null ? 'none' : `to${nightClose.replace(':', '')}`;
  return `{DayHours::${day}, NightHours::${night}}`;
}

const rows = JSON.parse(readFileSync(input, 'utf8')).map((row) => {
  const tickUnits = Math.round(row.price_tick * unitsPerYuan);
  const referenceTicks = Math.round((row.reference_price * unitsPerYuan) / tickUnits);
  const limit = row.price_limit ?? defaultPriceLimit;
  return `    {"${row.product}", Exchange::${row.exchange}, ${hoursOf(row)}, ${row.volume_multiple}, ${tickUnits}, ${referenceTicks}, ${limit}},`;
});
writeFileSync(
  output,
  `// Made from data/products.json by generate_products.js.\n#pragma once\n#include "product.h"\n\n` +
    `namespace sim {\ninline constexpr Product products[] = {\n${rows.join('\n')}\n};\n}  // namespace sim\n`,
);
