/**
 * Checks: what the container runtime finds, and who else works on services.
 * @module
 */
import { OUR_PLUGINS } from '../../../agent/install/cni-config.ts'
import { type Check, fail, given, ok, warn } from '../check.ts'
import type { CniConfig } from '../facts.ts'

const cniConfig: Check = {
  id: 'cni-config',
  look: ({ cniConfigs }) =>
    given(cniConfigs, (files) => {
      const broken = files.find(({ types }) => types === undefined)
      const [first] = files
      const ours = files.find(isOurs)
      if (first === undefined) return ok('no configuration yet: the agent writes it when pods can be attached')
      if (ours !== undefined && first !== ours) {
        return fail(`${first.name} comes before ${ours.name}: the runtime takes the first`, `remove ${first.name}`)
      }
      if (ours === undefined) {
        return warn(
          `${first.name} is another network’s: the runtime goes on with it`,
          `remove it once Weft is to serve pods`,
        )
      }
      if (broken !== undefined) return warn(`${broken.name} cannot be read as a configuration`, 'correct or remove it')
      return ok(`the runtime takes ${ours.name}`)
    }),
}

function isOurs({ types }: CniConfig): boolean {
  return types?.some((type) => OUR_PLUGINS.has(type)) === true
}

const plugin: Check = {
  id: 'cni-plugin',
  look: ({ plugin: read }) => {
    if (!read.ok) return warn(read.reason, 'copy weft-cni there as weft; the installation does')
    const { path, uid, mode } = read.value
    if ((mode & 0o111) === 0) return fail(`${path} cannot be executed`, `chmod 0755 ${path}`)
    if (uid !== 0 || (mode & 0o022) !== 0) {
      return fail(
        `others than root can change ${path}, which the runtime runs as root`,
        `chown root ${path}; chmod 0755 ${path}`,
      )
    }
    return ok(`${path} is there, root’s alone`)
  },
}

const kubeProxy: Check = {
  id: 'kube-proxy',
  look: ({ processes, filters }, { cluster }) =>
    given(processes, (running) => {
      const runs = running.some(({ name }) => name === 'kube-proxy')
      const left =
        filters.ok && filters.value.some(({ name, table }) => name === 'KUBE-FORWARD' || table === 'kube-proxy')
      if (cluster === undefined) return ok(runs ? 'a kube-proxy runs here' : 'no kube-proxy runs here')
      if (cluster.services === 'kube-proxy') {
        return runs
          ? ok('a kube-proxy translates services')
          : warn('services are left to a kube-proxy, and none runs here', 'start it, or let Weft translate services')
      }
      if (runs) return warn('a kube-proxy runs here, and Weft translates services itself', 'remove kube-proxy')
      return left
        ? warn('rules of a kube-proxy that does not run are left', 'run kube-proxy --cleanup')
        : ok('Weft translates services, nobody else')
    }),
}

export const RUNTIME_CHECKS: readonly Check[] = [cniConfig, plugin, kubeProxy]
