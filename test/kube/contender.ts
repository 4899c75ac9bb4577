/**
 * A process that takes part in an election and says what it believes: `contender.ts <kubeconfig> <name> <file>`. To the
 * file, which all of them share, it appends a line whenever it may act as leader.
 */
import { appendFileSync } from 'node:fs'
import { KubeClient } from '../../src/kube/client.ts'
import { lead } from '../../src/kube/election/lead.ts'
import type { Term } from '../../src/kube/election/term.ts'
import { loadKubeconfig } from '../../src/kube/kubeconfig.ts'

const [kubeconfig = '', identity = '', file = ''] = process.argv.slice(2)
const ending = new AbortController()
process.on('SIGTERM', () => ending.abort())

const api = new KubeClient(loadKubeconfig(kubeconfig, {}))
const lease = { namespace: 'default', name: 'weft-test' }
const timing = { leaseDuration: 3_000, renewDeadline: 2_000, retryPeriod: 400 }
await lead({ api, lease, identity, timing, onError: console.error }, act, ending.signal)
say('left')
api.close()
process.exit(0)

/** Asks before every act, not only when it is told that the term is over. */
async function act(term: Term): Promise<void> {
  try {
    for (;;) {
      term.assertHeld()
      say('acts')
      await Bun.sleep(20)
    }
  } catch {
    say('stops')
  }
}

function say(what: string): void {
  appendFileSync(file, `${identity} ${what}\n`)
}
