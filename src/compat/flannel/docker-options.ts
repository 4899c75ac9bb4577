/**
 * What `mk-docker-opts.sh` makes of `subnet.env`: the options that Docker's daemon takes for its bridge.
 * Facts: flannel, dist/mk-docker-opts.sh.
 * @module
 */

/** What is asked for. */
export interface DockerOptionsWish {
  /** One variable for each option. */
  readonly individual: boolean
  /** One variable with all of them. */
  readonly combined: boolean
  /** Its name. */
  readonly key: string
  /** Leave `--ip-masq` out, which old Dockers do not know. */
  readonly omitIpMasq: boolean
}

/** Variables by their names, of the file and of the environment. */
export type Variables = ReadonlyMap<string, string>

/**
 * The lines of the file. What the environment has of the combined variable comes first, and what it has of variables like
 * `DOCKER_OPT_…` counts, as in the shell.
 */
export function dockerOptions(subnet: Variables, environment: Variables, wish: DockerOptionsWish): string {
  const options = new Map([...environment].filter(([name]) => /^DOCKER_OPT_\w+$/.test(name)))
  const bip = subnet.get('FLANNEL_SUBNET')
  const mtu = subnet.get('FLANNEL_MTU')
  const ipMasq = subnet.get('FLANNEL_IPMASQ')
  if (bip) options.set('DOCKER_OPT_BIP', `--bip=${bip}`)
  if (mtu) options.set('DOCKER_OPT_MTU', `--mtu=${mtu}`)
  // One of the two translates, never both.
  if (ipMasq && !wish.omitIpMasq) options.set('DOCKER_OPT_IPMASQ', `--ip-masq=${ipMasq !== 'true'}`)
  const sorted = [...options].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const isBoth = wish.individual === wish.combined
  const individual = sorted.map(([name, value]) => `${name}="${value}"`)
  const all = [environment.get(wish.key) ?? '', ...sorted.map(([, value]) => value)].join(' ')
  const lines = [
    ...(wish.individual || isBoth ? individual : []),
    ...(wish.combined || isBoth ? [`${wish.key}="${all} "`] : []),
  ]
  return lines.map((line) => `${line}\n`).join('')
}
