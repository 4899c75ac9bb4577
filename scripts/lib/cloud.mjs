/**
 * A cloud that tests share: starting one takes a minute, and each file of tests would start its own.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Refusal } from './fail.mjs'
import { step } from './progress.mjs'
import { BUN, ROOT } from './run.mjs'

const PROGRAM = join(ROOT, 'test', 'openstack', 'cloud', 'main.ts')

/**
 * Does something while a cloud runs, which ends with it. Where WEFT_TEST_CLOUD names one that runs it is that one.
 * @template T
 * @param {(folder: string) => Promise<T>} work gets what WEFT_TEST_CLOUD has to say
 * @returns {Promise<T>}
 */
export async function withCloud(work) {
  const running = process.env.WEFT_TEST_CLOUD ?? ''
  if (running !== '') return work(running)
  // It is told to stop when this process ends, however that comes about.
  const cloud = spawn('setpriv', ['--pdeathsig', 'TERM', BUN, PROGRAM], { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(cloud, 'close')
  try {
    return await work(await step('Starting a cloud', (note) => started(cloud, ended, note)))
  } finally {
    cloud.kill('SIGTERM')
    await step('Stopping the cloud', () => ended)
  }
}

/** Its folder, once it is there. */
function started(cloud, ended, note) {
  const said = []
  let doing = ''
  return new Promise((resolve, reject) => {
    for (const stream of [cloud.stdout, cloud.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        said.push(line)
        const [, folder] = /^export WEFT_TEST_CLOUD=(.*)$/.exec(line) ?? []
        if (folder !== undefined) resolve(folder)
        const [, title = doing] = /^ *… (.*) \(\d+ s\)$/.exec(line) ?? []
        if (title !== doing) note(title)
        doing = title
      })
    }
    ended.then(() => {
      process.stderr.write(`${said.slice(-40).join('\n')}\n`)
      reject(new Refusal('the cloud did not start', 'see what its programs said above'))
    }, reject)
  })
}
