import { testScenario } from '../lab/testing.ts'
import { hostileInput } from './hostile-input.ts'

testScenario(hostileInput)
