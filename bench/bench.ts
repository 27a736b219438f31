import type { SandboxEvent } from '../src/sandbox/event.ts'
import type { Databases } from './databases.ts'
import type { Plan } from './plan.ts'

/** What every measurement of one run works with. */
export interface Bench {
  readonly plan: Plan
  /** Where its files are; removed at the end. */
  readonly folder: string
  readonly databases: Databases
  readonly now_ms: number
  readonly app_secret: string
  /** Facts that no webhook has told of yet. */
  readonly live: Iterator<SandboxEvent, void>
  readonly report: Report
}

/** A measured number, and what it is held against. */
export interface Figure {
  readonly what: string
  readonly unit: 'facts/s' | 'requests/s' | 'batches/s' | 'rows/s' | 'ms' | 'µs' | 'MB' | 'bytes'
  /** `null` where this machine cannot tell. */
  readonly measured: number | null
  /** The same in the same run without what Readout adds; `of` says what was measured. */
  readonly limit?: { readonly value: number; readonly of: string }
  readonly to_reach?: number
  /** The part of the limit that is to be reached, where that is asked for and not a number. */
  readonly ratio_to_reach?: number
}

/** What a run has found so far. */
export class Report {
  readonly figures: Figure[] = []
  /** What a reader of the figures has to know. */
  readonly remarks: string[] = []
  /** What was not as it must be: a run with failures proves nothing. */
  readonly failures: string[] = []

  add(...figures: Figure[]): void {
    this.figures.push(...figures)
  }

  remark(text: string): void {
    this.remarks.push(text)
  }

  fail(text: string): void {
    this.failures.push(text)
  }
}
