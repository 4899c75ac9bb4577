import { testScenario } from '../lab/testing.ts'
import { cniVerbs } from './cni-verbs.ts'

testScenario(cniVerbs)
