/**
 * A kubelet in a process of its own, with one pod, to be killed: `bun killable.ts <folder of a bench>`.
 * @module
 */
import { Bench } from './bench.ts'

const bench = new Bench(process.argv[2])
bench.start()
await bench.create('left', {
  containers: [{ name: 'main', image: 'none', command: ['sh', '-c', 'echo begun; while :; do sleep 0.05; done'] }],
})
await bench.ready('left')
process.stdout.write('ready\n')
