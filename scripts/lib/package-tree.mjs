/**
 * What the packages install besides the programs: units, configuration, the pages that explain them.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from './fail.mjs'
import { ask, BUN, ROOT } from './run.mjs'
import { programs, shipped } from './tree.mjs'

const UNITS = [
  'weft-agent.service',
  'weft-controller.service',
  'k8s-ovs.service',
  'flanneld.service',
  'weft-mesh.service',
]
/** What tells a container runtime of the network, under Weft's name and under k8s-ovs's. */
const CONFIGURATIONS = ['10-weft.conflist', '80-k8s-ovs.conf']

/**
 * Every file of a package. `configuration` says which belong to the administrator once they are there.
 * @param {'deb' | 'rpm'} kind where variables of services are kept is a custom of each
 * @returns {{ entries: import('./tar.mjs').Entry[], configuration: Set<string> }}
 */
export function packageTree(kind) {
  const variables = kind === 'deb' ? 'etc/default' : 'etc/sysconfig'
  const configuration = [
    text('etc/weft/weft.yaml', commentedSettings()),
    shipped(`${variables}/weft`, 'deploy/package/weft.default'),
    // A password may stand in it.
    shipped(`${variables}/k8s-ovs`, 'deploy/package/k8s-ovs.default', 0o600),
    shipped(`${variables}/flanneld`, 'deploy/package/flanneld.default', 0o600),
  ]
  const entries = [
    ...programs(),
    ...configuration,
    ...UNITS.map((unit) => shipped(`usr/lib/systemd/system/${unit}`, `deploy/systemd/${unit}`)),
    ...CONFIGURATIONS.map((name) => text(`usr/share/weft/${name}`, runtimeConfiguration(name))),
    ...pages(),
  ]
  return { entries, configuration: new Set(configuration.map(({ path }) => path)) }
}

/** The documentation, all of it: its pages link to each other, and errors name them. */
function pages() {
  return readdirSync(join(ROOT, 'docs'), { recursive: true })
    .filter((path) => path.endsWith('.md'))
    .sort()
    .map((path) => shipped(join('usr/share/doc/weft', path), join('docs', path)))
}

/** Every setting with its default, as a comment. */
function commentedSettings() {
  return printed("import { commentedFile } from './src/settings/print.ts'; process.stdout.write(commentedFile())")
}

/** As an agent would write it. */
function runtimeConfiguration(name) {
  const text = `${JSON.stringify(name)}), null, 2) + '\\n')`
  const module = "import { configurationFor } from './src/agent/install/cni-config.ts'"
  return printed(`${module}; process.stdout.write(JSON.stringify(configurationFor(${text}`)
}

function printed(program) {
  const text = ask(BUN, ['-e', program])
  if (text === undefined) throw new Refusal('a file of the packages cannot be made', 'find out with: npm test')
  return text
}

function text(path, content) {
  return { path, type: 'file', mode: 0o644, content: Buffer.from(content) }
}
