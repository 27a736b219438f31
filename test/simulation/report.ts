import type { SandboxEvent } from '../../src/sandbox/event.ts'
import type { Act, History, Step } from './plan/step.ts'

/** Tells a history to people, a line for each step and each event in it. */
export function formatHistory({ start_ms, time_zones, steps }: History): string {
  const lines = steps.flatMap((step) => {
    const [first = '', ...others] = formatStep(step)
    return [`${formatTime(step.at_ms)}  ${first}`, ...others.map((line) => `${' '.repeat(26)}${line}`)]
  })
  return [`${formatTime(start_ms)}  accounts in ${time_zones.join(', ')}`, ...lines].join('\n')
}

function formatStep(step: Step): string[] {
  switch (step.kind) {
    case 'webhook':
      return [`webhook, clicks in ${step.clicks_in}`, ...step.events.map(formatEvent)]
    case 'act':
      return formatAct(step.act, step.fault === undefined ? '' : `, struck by ${formatRest(step.fault)}`)
    case 'check':
      return ['check', ...step.questions.map(formatRest)]
    default: {
      const { kind, at_ms: _, ...rest } = step
      return [`${kind} ${formatRest(rest)}`]
    }
  }
}

function formatAct(act: Act, ending: string): string[] {
  if (act.kind === 'import') return [`import${ending}`, ...act.events.map(formatEvent)]
  const { kind, ...rest } = act
  return [`${kind} ${formatRest(rest)}${ending}`]
}

function formatEvent({
  kind,
  timestamp,
  message_id,
  page_id,
  messenger_subscription_token,
  ...rest
}: SandboxEvent): string {
  const told = formatRest(rest)
  return `${formatTime(timestamp)} ${kind} of ad ${message_id} by page ${page_id} to ${messenger_subscription_token} ${told}`
}

/** As JSON; what tells messages apart is shortened to what tells them apart. */
function formatRest(rest: object): string {
  const short = (key: string, value: unknown) => {
    if (typeof value === 'bigint') return String(value)
    return key === 'mid' || key === 'marketing_message_tracking_id' ? String(value).slice(0, 8) : value
  }
  return JSON.stringify(rest, short)
}

function formatTime(ms: number): string {
  return new Date(ms).toISOString()
}
