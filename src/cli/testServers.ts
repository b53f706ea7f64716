/** Names of test systems. */
const testSystem = /仿真|模拟|测试|评测|演练|联调|演示|\bsim|\btest|\bdemo\b|\buat\b/i;
/** Names of servers that send recorded or made-up quotes at all hours. */
const allHours = [
  /全天|全时段|全日|昼夜|二十四小时/,
  /(?<!\d)24\s*(?:小时|时|h(?:ours?|rs?)?\b)/i,
  /(?<!\d)7\s*(?:days?|[x×✕✖╳*·/乘天日]+)\s*24(?!\d)/i,
  /(?<!\d)24\s*(?:hours?|h|[x×✕✖╳*·/乘时]+)\s*7(?!\d)/i,
  /\ball[\s_-]?day\b|\bround[\s_-]the[\s_-]clock\b/i,
];
/** Addresses of SimNow's servers of this kind, whatever a file calls them. */
const allHoursFronts: ReadonlySet<string> = new Set([
  'tcp://182.254.243.31:40011',
  'tcp://180.168.146.187:10131',
]);

/** True for a server whose name says that its quotes are not the market's: a test system, or quotes around the clock. */
export function namesTestServer(name: string): boolean {
  // Full-width letters and digits count as plain ones.
  const plain = name.normalize('NFKC');
  return testSystem.test(plain) || allHours.some((form) => form.test(plain));
}

/** True for an address that is known to send quotes around the clock. */
export function isTestFront(address: string): boolean {
  return allHoursFronts.has(address);
}
