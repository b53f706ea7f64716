const marks = [
  { mark: [0xef, 0xbb, 0xbf], encoding: 'utf-8' },
  { mark: [0xff, 0xfe], encoding: 'utf-16le' },
  { mark: [0xfe, 0xff], encoding: 'utf-16be' },
] as const;

/** The encoding that the byte order mark at a text's beginning states; undefined where there is none. */
export function encodingByMark(bytes: Uint8Array): (typeof marks)[number]['encoding'] | undefined {
  return marks.find(({ mark }) => mark.every((byte, index) => bytes[index] === byte))?.encoding;
}
