/**
 * What programs of this machine need besides themselves, and which Debian packages that is from.
 */
import { readFileSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Refusal } from './fail.mjs'
import { ask } from './run.mjs'

/**
 * The shared libraries of these programs, at the names that they ask for, with Debian's one folder for libraries.
 * @param {readonly string[]} files absolute paths
 * @returns {{ entries: import('./tar.mjs').Entry[], sources: string[] }} sources: where they were read from
 */
export function libraries(files) {
  const found = new Set(files.flatMap(needed))
  const entries = [...found].map((path) => ({
    path: join(merged(dirname(path)), basename(path)).slice(1),
    type: 'file',
    mode: 0o755,
    content: readFileSync(path),
  }))
  return { entries, sources: [...found].sort() }
}

/** The paths in what ldd prints of a program. The kernel's own page (`linux-vdso`) has none. */
export function pathsInLdd(output) {
  return output.split('\n').flatMap((line) => /(?:=> |^\s+)(\/\S+) \(0x/.exec(line)?.[1] ?? [])
}

/**
 * The packages that files are from, as `name version`, sorted; and their copyright files.
 * @param {readonly string[]} files absolute paths
 */
export function packagesOf(files) {
  const owners = new Set(files.map(ownerOf))
  const names = [...owners].sort()
  return {
    packages: names.map((name) => {
      const version = ask('dpkg-query', ['-W', '-f', `\${Version}`, name])
      return `${name.replace(/:.*/, '')} ${version}`
    }),
    copyrights: names.map((name) => {
      const path = `/usr/share/doc/${name.replace(/:.*/, '')}/copyright`
      return { path: path.slice(1), type: 'file', mode: 0o644, content: readFileSync(path) }
    }),
  }
}

function needed(file) {
  const output = ask('ldd', [file])
  if (output === undefined) throw new Refusal(`ldd cannot read ${file}`, 'is it built for this machine?')
  const missing = /^\s*(\S+) => not found/m.exec(output)?.[1]
  if (missing !== undefined) throw new Refusal(`${file} needs ${missing}, which this machine lacks`, 'install it')
  return pathsInLdd(output)
}

/** Packages know their files under /lib or under /usr/lib, which are one folder. */
function ownerOf(file) {
  const real = realpathSync(file)
  for (const path of [file, real, real.replace(/^\/usr\//, '/'), `/usr${file}`]) {
    const owner = ask('dpkg-query', ['-S', path])?.split('\n')[0]
    if (owner !== undefined) return owner.slice(0, owner.lastIndexOf(': '))
  }
  throw new Refusal(`no Debian package has ${file}`, 'build the image on Debian 12')
}

function merged(folder) {
  return folder.startsWith('/usr/') ? folder : `/usr${folder}`
}
