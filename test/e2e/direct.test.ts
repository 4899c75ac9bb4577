import { testLongScenario } from '../lab/testing.ts'
import { direct } from './direct.ts'

testLongScenario(direct)
