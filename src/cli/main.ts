#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// Stripping the types and compiling take longer than most commands; so it is done once, and kept.
enableCompileCache(join(import.meta.dirname, '../../node_modules/.cache/readout'))
const { run } = await import('./run.ts')
process.exitCode = await run(process.argv)
