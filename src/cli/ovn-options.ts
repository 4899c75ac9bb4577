/**
 * The options that name OVN's northbound database, and whose rows of it are meant.
 * @module
 */
import { type Command, Option } from 'commander'
import type { OvnPlace } from '../place/ovn.ts'
import { usage } from './errors.ts'
import { objectName } from './numbers.ts'

/** What the options say. */
export interface OvnOptions {
  readonly ovnNb?: string
  readonly ovnCluster?: string
  readonly ovnCafile?: string
  readonly ovnCertfile?: string
  readonly ovnKeyfile?: string
}

const GROUP = 'OVN’s northbound database:'

/** Adds the options that {@link ovnPlaceNamed} understands. */
export function withOvnOptions(command: Command, otherwise: string): Command {
  const options = [
    new Option(
      '--ovn-nb <places>',
      `unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT, parted by commas (default: ${otherwise})`,
    ),
    new Option('--ovn-cluster <name>', 'whose rows are ours: a name that nobody else uses there').argParser(objectName),
    new Option('--ovn-cafile <file>', 'the authority of the servers’ certificates, for ssl:'),
    new Option('--ovn-certfile <file>', 'our certificate, for ssl:'),
    new Option('--ovn-keyfile <file>', 'its key'),
  ]
  for (const option of options) command.addOption(option.helpGroup(GROUP))
  return command
}

/** The database that options name, if they do. Throws CLI_USAGE. */
export function ovnPlaceNamed(options: OvnOptions): OvnPlace | undefined {
  const { ovnNb: remotes, ovnCluster: cluster, ovnCafile: ca, ovnCertfile: certificate, ovnKeyfile: key } = options
  if (remotes === undefined) {
    const [stray] = Object.keys(options)
    if (stray === undefined) return undefined
    throw usage(`--${dashed(stray)} says nothing without --ovn-nb`, 'give both')
  }
  if (cluster === undefined)
    throw usage('--ovn-cluster is missing', 'give a name that nobody else uses in that database')
  if (ca === undefined && certificate === undefined && key === undefined) return { remotes, cluster }
  if (ca !== undefined && certificate !== undefined && key !== undefined) {
    return { remotes, cluster, tls: { ca, certificate, key } }
  }
  throw usage(
    '--ovn-cafile, --ovn-certfile and --ovn-keyfile go together',
    'give all three, or none where nothing is ssl:',
  )
}

/** These options alone, out of those of a command, and the others. */
export function splitOvnOptions<O extends object>(
  options: O & OvnOptions,
): { readonly ovn: OvnOptions; readonly others: Omit<O, keyof OvnOptions> } {
  const isOvn = ([name]: readonly [string, unknown]): boolean => /^ovn[A-Z]/.test(name)
  const entries = Object.entries(options)
  const others = Object.fromEntries(entries.filter((entry) => !isOvn(entry)))
  return { ovn: Object.fromEntries(entries.filter(isOvn)), others: others as Omit<O, keyof OvnOptions> }
}

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
