// Writes layouts.json line by line, as the client reads it: node generateTable.js layouts.json OUTPUT
//
//   generation ID BOOLS-OF-THE-FACTORY HAS-VERSION BYTES-OF-AN-ID
//   spi METHOD…                      in the order of their slots
//   api METHOD…
//   struct NAME SIZE
//   field NAME OFFSET WIDTH TYPE     of the struct before it
import { readFileSync, writeFileSync } from 'node:fs';

const [input, output] = process.argv.slice(2);
const { generations, methods, structs } = JSON.parse(readFileSync(input, 'utf8'));

/** "offset type name [from..until]": whether a struct of `size` bytes has the field. */
function fieldLines(line, size) {
  const [offset, type, name, range = '..'] = line.split(' ');
  const [from, until] = range.split('..').map(Number);
  if ((from > 0 && size < from) || (until > 0 && size > until)) return [];
  const width = type === 'f64' ? 8 : type === 'i32' ? 4 : Number(type.slice(1));
  return [`field ${name} ${offset} ${width} ${type[0] === 'c' ? 'text' : type}`];
}

const lines = generations.flatMap(({ id, factoryBools, hasVersion, methods: order, idBytes, sizes }) => [
  `generation ${id} ${factoryBools} ${hasVersion ? 1 : 0} ${idBytes}`,
  `spi ${methods[order].spi}`,
  `api ${methods[order].api}`,
  ...Object.entries(sizes).flatMap(([name, size]) => [
    `struct ${name} ${size}`,
    ...structs[name].flatMap((line) => fieldLines(line, size)),
  ]),
]);
writeFileSync(output, `${lines.join('\n')}\n`);
