/**
 * Checks: what the container runtime finds, and who else works on services.
 * @module
 */
import { isList, OUR_PLUGINS } from '../../../agent/install/cni-config.ts'
import { installIn, PORTMAP } from '../../../agent/install/portmap.ts'
import { AGENT_DEFAULTS } from '../../../agent/options.ts'
import { type Check, fail, given, ok, type Verdict, warn } from '../check.ts'
import type { CniConfig, Read } from '../facts.ts'

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

const hostPorts: Check = {
  id: 'host-ports',
  look: ({ cniConfigs, portmap }) =>
    both(cniConfigs, portmap, (files, { folder, isThere }) => {
      const ours = files.find(isOurs)
      const install = installIn(folder)
      if (ours?.publishes === true) {
        // Another plugin than portmap may do it.
        if (isThere || ours.types?.includes(PORTMAP) !== true) return ok(`pods’ hostPort is published by ${ours.name}`)
        return fail(`${ours.name} calls ${folder}/${PORTMAP}, which cannot be run: no pod gets a network`, install)
      }
      if (ours !== undefined && !isList(ours.name)) {
        const remedy = `choose a list: ${AGENT_DEFAULTS.cniConfigName} (agent.cniConfigName, --cni-config-name)`
        return warn(`pods’ hostPort leads nowhere: ${ours.name} is the form of a single plugin`, remedy)
      }
      if (!isThere) {
        return warn(`pods’ hostPort leads nowhere: ${folder}/${PORTMAP} is missing or cannot be run`, install)
      }
      if (ours === undefined) return ok(`${folder}/${PORTMAP} is there to publish pods’ hostPort`)
      const remedy = 'wait a minute for the agent; to a list that was edited or copied, add portmap by hand'
      return warn(`pods’ hostPort leads nowhere: ${ours.name} calls no plugin that publishes it`, remedy)
    }),
}

function both<A, B>(one: Read<A>, other: Read<B>, judge: (a: A, b: B) => Verdict): Verdict {
  return given(one, (a) => given(other, (b) => judge(a, b)))
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

export const RUNTIME_CHECKS: readonly Check[] = [cniConfig, plugin, hostPorts, kubeProxy]
