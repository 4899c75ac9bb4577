/**
 * tar archives (POSIX ustar) that are the same whenever their contents are: sorted, of one time, owned by root.
 */

const BLOCK = 512
const NAME_SIZE = 100
const PREFIX_SIZE = 155
const TYPES = { file: '0', symlink: '2', folder: '5' }

/**
 * One entry. Paths have no slash at either end. A folder's mode is 0755 and a link's 0777 unless said otherwise.
 * @typedef {{ path: string, type: 'file', mode: number, content: Buffer }
 *   | { path: string, type: 'folder', mode?: number }
 *   | { path: string, type: 'symlink', target: string }} Entry
 */

/**
 * An archive of these entries and of the folders above them, in the order of their paths' bytes.
 * @param {readonly Entry[]} entries
 * @param {{ time?: number }} [options] time: seconds since the epoch, for every entry
 * @returns {Buffer}
 */
export function tar(entries, { time = 0 } = {}) {
  const parts = withFolders(entries).flatMap((entry) => {
    const content = entry.type === 'file' ? entry.content : Buffer.alloc(0)
    return [header(entry, content.length, time), content, Buffer.alloc(-content.length & (BLOCK - 1))]
  })
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)])
}

/** Entries with the folders that lead to them, sorted. Throws for a path that is there twice or is no relative path. */
export function withFolders(entries) {
  const all = new Map()
  for (const entry of entries) {
    if (!isRelative(entry.path)) throw new Error(`${JSON.stringify(entry.path)} is no path inside of an archive`)
    if (all.has(entry.path)) throw new Error(`${entry.path} is in the archive twice`)
    all.set(entry.path, entry)
  }
  for (const { path } of entries) {
    for (const folder of foldersOf(path)) {
      const there = all.get(folder)
      if (there === undefined) all.set(folder, { path: folder, type: 'folder' })
      else if (there.type !== 'folder') throw new Error(`${path} is inside of ${folder}, which is no folder`)
    }
  }
  return [...all.values()].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))
}

function isRelative(path) {
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..') && !path.includes('\0')
}

function foldersOf(path) {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
}

function header(entry, size, time) {
  const block = Buffer.alloc(BLOCK)
  const [prefix, name] = splitPath(entry.type === 'folder' ? `${entry.path}/` : entry.path)
  const mode = entry.type === 'symlink' ? 0o777 : (entry.mode ?? 0o755)
  block.write(name, 0, NAME_SIZE)
  octal(block, mode, 100, 8)
  octal(block, 0, 108, 8)
  octal(block, 0, 116, 8)
  octal(block, size, 124, 12)
  octal(block, time, 136, 12)
  block.fill(' ', 148, 156)
  block.write(TYPES[entry.type], 156)
  if (entry.type === 'symlink') block.write(checkedName(entry.target), 157, NAME_SIZE)
  block.write('ustar\x0000', 257, 'latin1')
  block.write('root', 265)
  block.write('root', 297)
  octal(block, 0, 329, 8)
  octal(block, 0, 337, 8)
  block.write(prefix, 345, PREFIX_SIZE)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

/** A long path stands in two fields, parted at a slash. */
function splitPath(path) {
  if (Buffer.byteLength(path) <= NAME_SIZE) return ['', path]
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)]
    if (name !== '' && Buffer.byteLength(prefix) <= PREFIX_SIZE && Buffer.byteLength(name) <= NAME_SIZE)
      return [prefix, name]
  }
  throw new Error(`${path} is too long for a tar archive`)
}

function checkedName(text) {
  if (Buffer.byteLength(text) > NAME_SIZE) throw new Error(`${text} is too long for a tar archive`)
  return text
}

function octal(block, value, at, length) {
  const text = value.toString(8).padStart(length - 1, '0')
  if (text.length >= length) throw new Error(`${value} is too large for a tar archive`)
  block.write(`${text}\0`, at)
}
