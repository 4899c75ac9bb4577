/**
 * How long programs take from fork to exit when they have nothing to do.
 * @module
 */
import { median, type Result } from '../result.ts'
import { isBuilt, OUR_PLUGIN, PEER_PLUGIN, weft } from '../rig/program.ts'

/** Start-up times, each program in turn with the others. */
export function measureStartup(rounds: number, fromSource: boolean): readonly Result[] {
  const version = { CNI_COMMAND: 'VERSION' }
  const programs = [
    { argv: ['/bin/true'], env: {} },
    { argv: [OUR_PLUGIN], env: version },
    { argv: [PEER_PLUGIN], env: version },
    { argv: weft(fromSource, '--version'), env: {} },
  ].map((program) => ({ ...program, samples: [] as number[] }))
  const stdin = new TextEncoder().encode('{"cniVersion":"1.0.0"}')
  for (let round = 0; round < rounds; round += 1) {
    for (const { argv, env, samples } of programs) {
      const started = performance.now()
      const { exitCode } = Bun.spawnSync([...argv], { env, stdin, stdout: 'pipe', stderr: 'pipe' })
      samples.push(performance.now() - started)
      if (exitCode !== 0) throw new Error(`${argv.join(' ')} exited with ${exitCode}`)
    }
  }
  const [nothing = 0, ours = 0, peer = 0, cli = 0] = programs.map(({ samples }) => median(samples))
  const what = isBuilt(fromSource) ? 'start of weft --version' : 'start of weft --version, from source'
  return [
    { what: 'start of weft-cni VERSION', unit: 'ms', ours, peer },
    { what, unit: 'ms', ours: cli, peer: nothing, peerName: '/bin/true' },
  ]
}
