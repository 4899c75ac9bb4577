/**
 * Weft under the name `mk-docker-opts.sh`: makes of `subnet.env` what Docker's daemon is started with.
 * @module
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { type DockerOptionsWish, dockerOptions } from '../../compat/flannel/docker-options.ts'
import { subnetsIn, variablesIn } from '../../compat/flannel/subnet-env.ts'
import { writeWhole } from '../../files/whole-file.ts'
import { describeError, usage } from '../errors.ts'
import { EXIT, exitCodeOf } from '../exit-codes.ts'

/** Runs a command line without the program's name. Never throws; resolves to the exit code. */
export async function runMkDockerOpts(words: readonly string[]): Promise<number> {
  try {
    const wish = parseMkDockerOpts(words)
    if (wish === 'help') process.stderr.write(HELP)
    else write(wish)
    return EXIT.ok
  } catch (error) {
    process.stderr.write(`mk-docker-opts.sh: ${describeError(error, (text) => text)}\n`)
    return exitCodeOf(error)
  }
}

/** What is asked for. */
export interface MkDockerOptsWish extends DockerOptionsWish {
  readonly subnetFile: string
  readonly output: string
}

/** Reads the switches, as getopts does: letters may stand together, a value behind its letter or in the next word. */
export function parseMkDockerOpts(words: readonly string[]): MkDockerOptsWish | 'help' {
  const { from, to, key, individual, combined, omit, help } = switchesIn(words)
  if (help === true) return 'help'
  return {
    subnetFile: from ?? '/run/flannel/subnet.env',
    output: to ?? '/run/docker_opts.env',
    key: keyOf(key ?? 'DOCKER_OPTS'),
    individual: individual ?? false,
    combined: combined ?? false,
    omitIpMasq: omit ?? false,
  }
}

function switchesIn(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      options: {
        from: { type: 'string', short: 'f' },
        to: { type: 'string', short: 'd' },
        key: { type: 'string', short: 'k' },
        individual: { type: 'boolean', short: 'i' },
        combined: { type: 'boolean', short: 'c' },
        omit: { type: 'boolean', short: 'm' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('.')[0] ?? '') : String(error)
    throw usage(message, '`mk-docker-opts.sh -h` lists the switches')
  }
}

function keyOf(text: string): string {
  if (/^[A-Za-z_]\w*$/.test(text)) return text
  throw usage('-k takes the name of a variable', 'write it like DOCKER_NETWORK_OPTIONS')
}

/** As a whole: a unit that reads the file meanwhile finds the old one or the new one. */
function write({ subnetFile, output, ...wish }: MkDockerOptsWish): void {
  const text = readFileSync(subnetFile, 'utf8')
  // A Docker that was started with nothing would take a bridge address of its own choice, which may be anybody's.
  if (subnetsIn(text) === undefined) throw usage(`${subnetFile} names no subnet`, 'start flanneld first')
  const environment = new Map(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
  mkdirSync(dirname(output), { recursive: true, mode: 0o755 })
  writeWhole(output, dockerOptions(variablesIn(text), environment, wish), 0o644)
}

const HELP = `Usage: mk-docker-opts.sh [-f subnet.env] [-d output] [-i] [-c] [-m] [-k name]

Makes of flannel's subnet.env what Docker's daemon is started with.
  -f  the file that flanneld writes (/run/flannel/subnet.env)
  -d  the file to write (/run/docker_opts.env)
  -i  one variable for each option
  -c  one variable with all of them; without -i and -c there are both
  -m  leave --ip-masq out, for old Dockers
  -k  the name of that one variable (DOCKER_OPTS)
`
