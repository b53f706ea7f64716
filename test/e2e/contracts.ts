// Contracts that are always listed, and do not expire under a test: those of the sixth month from now, of products that
// list twelve months.

const delivery = new Date(Date.now() + 180 * 86_400_000);

/** Year and month of delivery. */
export const yymm = `${String(delivery.getUTCFullYear()).slice(2)}${String(delivery.getUTCMonth() + 1).padStart(2, '0')}`;
export const rb = `rb${yymm}`;
export const cu = `cu${yymm}`;
export const ta = `TA${yymm.slice(1)}`;
