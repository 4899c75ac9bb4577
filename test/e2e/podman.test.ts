import { testScenario } from '../lab/testing.ts'
import { podman } from './podman.ts'

testScenario(podman)
