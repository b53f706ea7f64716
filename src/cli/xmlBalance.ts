/** Comments, CDATA, instructions, the DOCTYPE, then tags; a "<" that begins none of these is an error. */
const markup =
  /<!--[^]*?-->|<!\[CDATA\[[^]*?\]\]>|<\?[^]*?\?>|<!DOCTYPE(?:[^[>]|\[[^]*?\])*>|<(\/?)([^\s/>!?"'<=]+)((?:"[^"]*"|'[^']*'|[^'"<>])*)>|</gi;

/**
 * Says where XML is cut off or its tags do not match, which the parser mends silently; undefined when all is well.
 * Line and column count from 1.
 */
export function findXmlFault(text: string): string | undefined {
  const open: { readonly name: string; readonly at: number }[] = [];
  const fault = (at: number, reason: string): string => {
    const before = text.slice(0, at);
    return `line ${before.split('\n').length}, column ${at - before.lastIndexOf('\n')}: ${reason}`;
  };
  let elements = 0;
  for (const { 0: whole, 1: closing, 2: name, 3: rest, index } of text.matchAll(markup)) {
    if (whole === '<') return fault(index, 'this "<" begins no complete tag');
    if (name === undefined) continue;
    elements++;
    if (closing === '/') {
      const last = open.pop();
      if (last === undefined) return fault(index, `</${name}> closes nothing`);
      if (last.name !== name) return fault(last.at, `<${last.name}> is not closed before </${name}>`);
    } else if (rest?.endsWith('/') !== true) open.push({ name, at: index });
  }
  const unclosed = open.at(-1);
  if (unclosed !== undefined) return fault(unclosed.at, `<${unclosed.name}> is not closed, the text ends`);
  return elements === 0 ? 'is not XML, it has no element' : undefined;
}
