import { testLongScenario } from '../lab/testing.ts'
import { encapsulations } from './encapsulations.ts'

testLongScenario(encapsulations)
