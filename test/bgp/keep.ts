/**
 * A keeper as a process of its own, which can be killed: `bun keep.ts <folder> <run folder> <files as JSON> <command…>`.
 * Says `kept <pid of BIRD>` when the configuration is in force, and goes on.
 * @module
 */
import { BirdKeeper } from '../../src/bird/keeper.ts'

const [folder = '', runFolder = '', files = '[]', ...command] = process.argv.slice(2)
const keeper = new BirdKeeper({ folder, runFolder, command })
await keeper.start()
await keeper.apply(JSON.parse(files))
process.stdout.write(`kept ${keeper.pid}\n`)
