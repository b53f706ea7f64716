type TypedArray =
  | Uint8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>;

/**
 * A copy of an array with at least so many elements; the array itself where it has them. Its length doubles until it is
 * enough, so that many small steps copy little.
 *
 * @param fill value of the new elements
 */
export function grown<T extends TypedArray>(array: T, length: number, fill = 0): T {
  if (length <= array.length) return array;
  let larger = Math.max(1, array.length);
  while (larger < length) larger *= 2;
  const copy = new (array.constructor as new (length: number) => T)(larger);
  copy.set(array);
  if (fill !== 0) copy.fill(fill, array.length);
  return copy;
}
