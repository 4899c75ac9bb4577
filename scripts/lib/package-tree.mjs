/**
 * What the packages install besides the programs: units, configuration, the page that explains them.
 */
import { Refusal } from './fail.mjs'
import { ask, BUN } from './run.mjs'
import { programs, shipped } from './tree.mjs'

const UNITS = ['weft-agent.service', 'weft-controller.service', 'k8s-ovs.service']

/**
 * Every file of a package. `configuration` says which belong to the administrator once they are there.
 * @param {'deb' | 'rpm'} kind where variables of services are kept is a custom of each
 * @returns {{ entries: import('./tar.mjs').Entry[], configuration: Set<string> }}
 */
export function packageTree(kind) {
  const variables = kind === 'deb' ? 'etc/default' : 'etc/sysconfig'
  const configuration = [
    { path: 'etc/weft/weft.yaml', type: 'file', mode: 0o644, content: Buffer.from(commentedSettings()) },
    shipped(`${variables}/weft`, 'deploy/package/weft.default'),
    shipped(`${variables}/k8s-ovs`, 'deploy/package/k8s-ovs.default'),
  ]
  const entries = [
    ...programs(),
    ...configuration,
    ...UNITS.map((unit) => shipped(`usr/lib/systemd/system/${unit}`, `deploy/systemd/${unit}`)),
    shipped('usr/share/weft/80-k8s-ovs.conf', 'deploy/package/80-k8s-ovs.conf'),
    shipped('usr/share/doc/weft/install-by-hand.md', 'docs/install-by-hand.md'),
  ]
  return { entries, configuration: new Set(configuration.map(({ path }) => path)) }
}

/** Every setting with its default, as a comment. */
function commentedSettings() {
  const program = "import { commentedFile } from './src/settings/print.ts'; process.stdout.write(commentedFile())"
  const text = ask(BUN, ['-e', program])
  if (text === undefined) throw new Refusal('the settings cannot be printed', 'find out with: npm test')
  return text
}
