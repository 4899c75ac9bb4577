import { testScenario } from '../lab/testing.ts'
import { nodeLife } from './node-life.ts'

testScenario(nodeLife)
