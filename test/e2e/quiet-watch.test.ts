import { testScenario } from '../lab/testing.ts'
import { quietWatch } from './quiet-watch.ts'

testScenario(quietWatch)
