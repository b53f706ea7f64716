/** A depth struct as the vendor's library passes it, written by offsets. */
export interface DepthStruct {
  readonly bytes: Buffer;
  text(offset: number, value: string): void;
  double(offset: number, value: number): void;
  int(offset: number, value: number): void;
}

export function depthStruct(size: number): DepthStruct {
  const bytes = Buffer.alloc(size);
  return {
    bytes,
    text: (offset, value) => void bytes.write(value, offset, 'latin1'),
    double: (offset, value) => void bytes.writeDoubleLE(value, offset),
    int: (offset, value) => void bytes.writeInt32LE(value, offset),
  };
}

/** Offsets that differ between generations. */
export const longIdOffset = 401;
export const shortIdOffset = 9;
