/**
 * A node's part in a cluster's BGP as configuration of BIRD 2: the same text for the same model, whatever its order.
 * @module
 */
import { type Cidr, familyOf, hostCidr } from '../../model/address.ts'
import type { FieldProblem } from '../../model/problem.ts'
import { constants, familyText, interfaceList } from './announce.ts'
import { routerIdOf } from './identity.ts'
import { type BgpCluster, type BgpNode, type BgpSelf, FAMILIES, type PasswordRef } from './model.ts'
import { sessionFilters, sessionText, templateText } from './neighbours.ts'
import type { BgpSession } from './session.ts'
import { sessionsOf } from './sessions.ts'
import { addressText, interfacePattern, passwordProblem, quoted, symbolsFor, whole } from './text.ts'

/** The names of the two files. The second has the passwords: nobody but BIRD may read it. */
export const BIRD_FILE = 'bird.conf'
export const PASSWORDS_FILE = 'passwords.conf'

/** What the text needs beside the model. */
export interface BirdOptions {
  /** Passwords by their references, as far as they are known. */
  readonly passwords: ReadonlyMap<PasswordRef, string>
  /** Where BIRD writes what happens. Absent: to its standard error. */
  readonly logFile?: string
}

/** The configuration of BIRD on one node. */
export interface BirdConfiguration {
  readonly main: string
  readonly passwords: string
  /** The sessions that are in it. */
  readonly sessions: readonly BgpSession[]
  readonly problems: readonly FieldProblem[]
}

/**
 * The configuration of a node's BIRD, or undefined for a node without a part in BGP. A session whose password is not known is
 * left out: without one it would be open to whoever takes the peer's address. Whoever has an earlier password keeps that.
 */
export function birdConfiguration(
  cluster: BgpCluster,
  self: BgpSelf,
  options: BirdOptions,
): BirdConfiguration | undefined {
  const node = cluster.nodes.find(({ name }) => name === self.name)
  if (node === undefined) return undefined
  const asked = sessionsOf(cluster, self.name)
  const { symbols, problems, text } = passwordsOf(asked.sessions, options.passwords)
  const sessions = asked.sessions.filter(({ password }) => password === undefined || symbols.has(password))
  return {
    main: mainText(cluster, node, self, sessions, symbols, options),
    passwords: text,
    sessions,
    problems: [...asked.problems, ...problems, ...patternProblems(cluster), ...filterProblems(cluster)],
  }
}

function mainText(
  cluster: BgpCluster,
  node: BgpNode,
  self: BgpSelf,
  sessions: readonly BgpSession[],
  symbols: ReadonlyMap<PasswordRef, string>,
  { logFile }: BirdOptions,
): string {
  const networks = nodeNetworks(cluster)
  const perFamily = FAMILIES.flatMap((family) => {
    const own = node.addresses[family]
    if (own === undefined) return []
    return [familyText(cluster, self, sessions, networks, family), templateText(cluster, node, own, family)]
  })
  const filters = sessionFilters(cluster, sessions)
  const protocols = sessions.map((session) => {
    const password = session.password === undefined ? undefined : symbols.get(session.password)
    return sessionText(cluster, node, session, filters.symbols, password)
  })
  const bfd = sessions.some((session) => session.bfd) ? [bfdText(cluster)] : []
  return [headText(cluster, node, logFile), ...perFamily, filters.text, ...bfd, ...protocols].join('\n')
}

function headText(cluster: BgpCluster, node: BgpNode, logFile: string | undefined): string {
  const file = logFile === undefined ? undefined : quoted(logFile)
  const log = file === undefined ? 'stderr' : `${file} ${LOG_BYTES} ${file.slice(0, -1)}.1"`
  return `# Written by Weft. What is changed here is overwritten.
log ${log} { info, remote, warning, error, auth, fatal, bug };
router id ${addressText(routerIdOf(node))};
graceful restart wait 60;
timeformat base iso long;
timeformat protocol iso long;
include "${PASSWORDS_FILE}";

${constants(cluster)}
protocol device weft_device {
  scan time 10;
}
protocol direct weft_direct {
  ipv4;
  ipv6;
  interface ${interfaceList(cluster)};
}
`
}

const LOG_BYTES = 1_048_576

function bfdText({ bfd: { interval, multiplier } }: BgpCluster): string {
  const times = `interval ${whole(interval, 10, 60_000)} ms; multiplier ${whole(multiplier, 1, 255)};`
  return `protocol bfd weft_bfd {
  interface "*" { ${times} };
  multihop { ${times} };
}
`
}

interface Passwords {
  readonly symbols: ReadonlyMap<PasswordRef, string>
  readonly problems: readonly FieldProblem[]
  readonly text: string
}

function passwordsOf(sessions: readonly BgpSession[], known: ReadonlyMap<PasswordRef, string>): Passwords {
  const needed = new Map(
    sessions.flatMap(({ password, peer }) => (password === undefined ? [] : [[password, peer] as const])),
  )
  const usable = new Map<PasswordRef, string>()
  const problems: FieldProblem[] = []
  for (const [ref, peer] of needed) {
    const password = known.get(ref)
    const reason = password === undefined ? 'it is not there' : passwordProblem(password)
    const text = password === undefined || reason !== undefined ? undefined : quoted(password)
    if (text !== undefined) usable.set(ref, text)
    else problems.push(passwordFault(peer, reason ?? 'it cannot be read'))
  }
  const symbols = symbolsFor('password', [...usable.keys()])
  const lines = [...symbols].map(([ref, symbol]) => `define ${symbol} = ${usable.get(ref) ?? '""'};\n`)
  return { symbols, problems, text: `# Written by Weft.\n${lines.join('')}` }
}

function passwordFault(peer: string | undefined, reason: string): FieldProblem {
  const field = peer === undefined ? 'BGPConfiguration spec.nodeMeshPassword' : `BGPPeer ${peer} spec.password`
  return {
    field,
    reason: `no session is made with this password: ${reason}`,
    remedy: 'give every node the secret as a file, of 1 to 80 ASCII characters without quotation marks (docs/bgp.md)',
  }
}

function patternProblems({ ignoredInterfaces }: BgpCluster): readonly FieldProblem[] {
  return ignoredInterfaces
    .filter((pattern) => interfacePattern(pattern) === undefined)
    .map((pattern) => ({
      field: 'BGPConfiguration spec.ignoredInterfaces',
      reason: `${JSON.stringify(pattern.slice(0, 80))} is no pattern of interface names`,
      remedy: 'use at most 15 letters, digits, ".", "_", ":", "-", "*" and "?"',
    }))
}

function filterProblems({ peers, filters }: BgpCluster): readonly FieldProblem[] {
  const names = new Set(filters.map(({ name }) => name))
  return peers.flatMap(({ name, filters: wanted }) =>
    wanted
      .filter((one) => !names.has(one))
      .map((one) => ({
        field: `BGPPeer ${name} spec.filters`,
        reason: `there is no BGPFilter ${JSON.stringify(one.slice(0, 80))}`,
        remedy: 'create it, or take its name out',
      })),
  )
}

/** Where nodes' own addresses are. One whose network nobody knows stands for itself. */
function nodeNetworks({ nodes }: BgpCluster): readonly Cidr[] {
  const all = nodes.flatMap(({ addresses, networks }) =>
    FAMILIES.flatMap((family): readonly Cidr[] => {
      const address = addresses[family]
      if (address === undefined) return []
      const network = networks[family]
      return [network !== undefined && familyOf(network) === family ? network : hostCidr(address)]
    }),
  )
  return [...new Set(all)].toSorted()
}
