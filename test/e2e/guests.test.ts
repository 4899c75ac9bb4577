import { testLongScenario } from '../lab/testing.ts'
import { guests } from './guests.ts'

testLongScenario(guests)
