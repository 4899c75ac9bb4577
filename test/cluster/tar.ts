/**
 * Archives as POSIX's ustar has them (pax(1), "ustar Interchange Format"), as much as images of a test need.
 * @module
 */

/** What an archive holds. Paths are relative and shorter than 100 bytes; owner and group are root. */
export type Entry =
  | { readonly path: string; readonly type: 'folder'; readonly mode: number }
  | { readonly path: string; readonly type: 'file'; readonly mode: number; readonly content: Uint8Array }
  | { readonly path: string; readonly type: 'link'; readonly to: string }

const BLOCK = 512
const TYPES = { file: '0', link: '2', folder: '5' } as const

/** An archive of these entries, in their order. */
export function tar(entries: readonly Entry[]): Uint8Array {
  return Buffer.concat([
    ...entries.flatMap((entry) => [headerOf(entry), ...contentOf(entry)]),
    new Uint8Array(2 * BLOCK),
  ])
}

function contentOf(entry: Entry): readonly Uint8Array[] {
  if (entry.type !== 'file') return []
  return [entry.content, new Uint8Array((BLOCK - (entry.content.length % BLOCK)) % BLOCK)]
}

function headerOf(entry: Entry): Uint8Array {
  const header = Buffer.alloc(BLOCK)
  const octal = (value: number, at: number, width: number): void => {
    header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1')
  }
  const path = entry.type === 'folder' ? `${entry.path}/` : entry.path
  if (path.length >= 100) throw new Error(`${path} is too long for an archive`)
  header.write(path, 0, 'latin1')
  octal(entry.type === 'link' ? 0o777 : entry.mode, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(entry.type === 'file' ? entry.content.length : 0, 124, 12)
  octal(0, 136, 12)
  header.write(TYPES[entry.type], 156, 'latin1')
  if (entry.type === 'link') header.write(entry.to, 157, 'latin1')
  header.write('ustar\x0000', 257, 'latin1')
  // The sum is taken over a header whose own field holds spaces.
  header.fill(' ', 148, 156)
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
    'latin1',
  )
  return header
}
