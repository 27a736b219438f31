import { BATCH_FILLED_LENGTH_MAX, BATCH_ITEMS_MAX, BATCH_REFERENCES_MAX } from '../src/graph/batch.ts'
import { ANSWER_US_MAX, QUICK_US_MAX } from '../src/graph/budget.ts'
import { CURSOR_PLACE_MAX } from '../src/graph/cursor.ts'
import { ERRAND_WAIT_MS_MAX, ERRANDS_MAX, ERRANDS_OF_TOKEN_MAX } from '../src/graph/deputy.ts'
import { VALUE_DEPTH_MAX, VALUE_ELEMENTS_MAX, VALUE_LENGTH_MAX } from '../src/graph/encoding.ts'
import { ANSWER_LENGTH_MAX } from '../src/graph/errand.ts'
import { FIELDS_DEPTH_MAX, FIELDS_MAX } from '../src/graph/field-expression.ts'
import { CONDITION_TEXT_LENGTH_MAX, CONDITIONS_MAX } from '../src/graph/filtering.ts'
import { ROWS_HELD_MAX } from '../src/graph/insights.ts'
import { LIMIT_MAX, TIME_RANGES_MAX } from '../src/graph/insights-parameters.ts'
import { IDS_MAX } from '../src/graph/many.ts'
import { OBJECT_LENGTH_MAX } from '../src/graph/message-campaign.ts'
import { PAIRS_MAX } from '../src/graph/parameters.ts'
import { REPORT_BEGUN_MAX, REPORT_ROWS_MAX } from '../src/graph/report-job.ts'
import { REPORT_PARAMETERS_LENGTH_MAX } from '../src/graph/report-order.ts'
import { REPORTS_AT_ONCE_MAX, UNFINISHED_REPORTS_MAX } from '../src/graph/reporter.ts'
import { GRAPH_BODY_BYTES_MAX } from '../src/graph/request.ts'
import { SLICES_MAX, TIME_INCREMENT_MAX } from '../src/graph/slice.ts'
import { HTTP_LIMITS, type HttpLimits } from '../src/http.ts'
import { WEBHOOK_BODY_BYTES_MAX } from '../src/ingest/door.ts'
import { BTN_NAME_LENGTH_MAX, ERROR_MESSAGE_LENGTH_MAX, ID_LENGTH_MAX } from '../src/ingest/fact.ts'
import { LINE_BYTES_MAX } from '../src/ingest/import-file.ts'
import { CHANGES_MAX } from '../src/ingest/webhook.ts'
import { GROUP_BYTES_MAX, QUEUE_BODIES_MAX, QUEUE_BYTES_MAX } from '../src/ingest/writer.ts'

interface Limit {
  readonly what: string
  /** How many, or how much; the unit stands in `what`. */
  readonly value: number
  /** What is answered, or done, past it. */
  readonly past: string
}

/** By name: what callers and senders can run into, with the constants of the code. */
export const LIMITS: Readonly<Record<string, readonly (Limit & { readonly name: string })[]>> = {
  'http limits': named<HttpLimits>(HTTP_LIMITS, {
    header_bytes_max: ['bytes of the URL and the headers together', '431'],
    connections_max: ['connections at once', 'closed as they come'],
    bodies_bytes_max: ['bytes of all bodies on their way in', 'the one that has been longest gets 503'],
    answers_length_max: [
      'characters of answers that nobody has taken yet',
      'the one that has waited longest is cut off',
    ],
    headers_ms_max: ['milliseconds in which the headers have to come', '408, and closed'],
    request_ms_max: ['milliseconds in which all of a request has to come', '408, and closed'],
    keep_alive_ms_max: ['milliseconds between two requests of a connection', 'closed'],
    silence_ms_max: ['milliseconds in which nothing is sent or taken', 'closed'],
    check_every_ms: ['milliseconds between two looks at the times above', ''],
  }),
  'graph limits': named(
    {
      GRAPH_BODY_BYTES_MAX,
      PAIRS_MAX,
      VALUE_LENGTH_MAX,
      VALUE_DEPTH_MAX,
      VALUE_ELEMENTS_MAX,
      FIELDS_MAX,
      FIELDS_DEPTH_MAX,
      CONDITIONS_MAX,
      CONDITION_TEXT_LENGTH_MAX,
      LIMIT_MAX,
      CURSOR_PLACE_MAX,
      TIME_RANGES_MAX,
      TIME_INCREMENT_MAX,
      SLICES_MAX,
      IDS_MAX,
      OBJECT_LENGTH_MAX,
      BATCH_ITEMS_MAX,
      BATCH_REFERENCES_MAX,
      BATCH_FILLED_LENGTH_MAX,
      QUICK_US_MAX,
      ANSWER_US_MAX,
      ROWS_HELD_MAX,
      ANSWER_LENGTH_MAX,
      ERRAND_WAIT_MS_MAX,
      ERRANDS_MAX,
      ERRANDS_OF_TOKEN_MAX,
      REPORT_PARAMETERS_LENGTH_MAX,
      UNFINISHED_REPORTS_MAX,
      REPORTS_AT_ONCE_MAX,
      REPORT_ROWS_MAX,
      REPORT_BEGUN_MAX,
    },
    {
      GRAPH_BODY_BYTES_MAX: ['bytes of a body', '413, code 100'],
      PAIRS_MAX: ['names and values in a query, or in a form', 'code 100'],
      VALUE_LENGTH_MAX: ['characters of a list or an object', 'code 100'],
      VALUE_DEPTH_MAX: ['lists and objects in each other', 'code 100'],
      VALUE_ELEMENTS_MAX: ['elements of a list, those of lists in it included', 'code 100'],
      FIELDS_MAX: ['names in `fields`', 'code 100'],
      FIELDS_DEPTH_MAX: ['braces in each other in `fields`', 'code 100'],
      CONDITIONS_MAX: ['conditions in `filtering`', 'code 100'],
      CONDITION_TEXT_LENGTH_MAX: ['characters of a value in one', 'code 100'],
      LIMIT_MAX: ['rows or nodes on a page', 'taken for this many'],
      CURSOR_PLACE_MAX: ['the place of a row that a cursor names', 'code 2642'],
      TIME_RANGES_MAX: ['ranges in `time_ranges`', 'code 100'],
      TIME_INCREMENT_MAX: ['days in `time_increment`', 'code 100'],
      SLICES_MAX: ['slices that `time_increment` cuts all ranges into', 'code 100'],
      IDS_MAX: ['nodes in `ids`', 'code 100'],
      OBJECT_LENGTH_MAX: ['characters of an object of a campaign', 'code 100'],
      BATCH_ITEMS_MAX: ['items of a batch', 'code 100'],
      BATCH_REFERENCES_MAX: ['references to other results in an item', 'code 100, for the item'],
      BATCH_FILLED_LENGTH_MAX: ['characters that come in their place', 'code 100, for the item'],
      QUICK_US_MAX: ['microseconds that an answer is priced at', 'left to the deputy'],
      ANSWER_US_MAX: ['the same of what the deputy answers', 'code 1, "reduce the amount of data"'],
      ROWS_HELD_MAX: ['rows that are sorted or summed', 'code 1, "reduce the amount of data"'],
      ANSWER_LENGTH_MAX: ['characters of an answer, and of all of a batch', 'code 1, "reduce the amount of data"'],
      ERRANDS_MAX: ['calls that wait for the deputy', '503, code 2, which may come again'],
      ERRANDS_OF_TOKEN_MAX: ['those of one token', '503, code 2, which may come again'],
      ERRAND_WAIT_MS_MAX: ['milliseconds that one of them waits for its turn', '503, code 2, which may come again'],
      REPORT_PARAMETERS_LENGTH_MAX: ['characters of what a report is asked for', 'code 100'],
      UNFINISHED_REPORTS_MAX: ['reports of an account that have not ended', 'code 4'],
      REPORTS_AT_ONCE_MAX: ['reports that are made at once', 'wait for their turn'],
      REPORT_ROWS_MAX: ['rows of a report', 'it fails, and says so'],
      REPORT_BEGUN_MAX: ['times that a report is begun anew', 'it fails, and says so'],
    },
  ),
  'webhook limits': named(
    {
      WEBHOOK_BODY_BYTES_MAX,
      CHANGES_MAX,
      QUEUE_BODIES_MAX,
      QUEUE_BYTES_MAX,
      GROUP_BYTES_MAX,
      ID_LENGTH_MAX,
      ERROR_MESSAGE_LENGTH_MAX,
      BTN_NAME_LENGTH_MAX,
      LINE_BYTES_MAX,
    },
    {
      WEBHOOK_BODY_BYTES_MAX: ['bytes of a body', '413'],
      CHANGES_MAX: ['changes in a body; Meta sends at most 1000', '400'],
      QUEUE_BODIES_MAX: ['bodies that wait to be committed', '503 with `Retry-After`'],
      QUEUE_BYTES_MAX: ['bytes of them', '503 with `Retry-After`'],
      GROUP_BYTES_MAX: ['bytes of bodies that are committed together', 'the next group'],
      ID_LENGTH_MAX: ['characters of a token, a tracking id or a `mid`', 'set aside as rejected'],
      ERROR_MESSAGE_LENGTH_MAX: ["characters of Meta's reason for a failure", 'cut'],
      BTN_NAME_LENGTH_MAX: ['characters of the name of a button', 'a bad line of an import'],
      LINE_BYTES_MAX: ['characters of an import line', 'a bad line'],
    },
  ),
}

/** Bounds of our own work, which nobody runs into from outside. */
export const INTERNAL: readonly string[] = [
  'BUSY_MS_MAX',
  'CLAIM_FACTS_MAX',
  'COMMAND_STATEMENT_MS_MAX',
  'DEMO_DAYS_MAX',
  'DEMO_EVENTS_MAX',
  'DIRECTORY_ENTRIES_MAX',
  'FACT_AHEAD_MS_MAX',
  'GROUPS_IN_FLIGHT_MAX',
  'LIVE_CATCH_UP_MS_MAX',
  'LIVE_MESSAGES_PER_SECOND_MAX',
  'PRICE_MICROS_MAX',
  'PRUNE_THREADS_MAX',
  'RECOUNT_THREADS_MAX',
  'RESOLVE_THREADS_MAX',
  'SLOW_MS_MAX',
  'WEBHOOK_CHANGES_MAX',
]

function named<Values extends { readonly [Name in keyof Values]: number }>(
  values: Values,
  says: { readonly [Name in keyof Values]: readonly [what: string, past: string] },
) {
  return (Object.keys(says) as (keyof Values & string)[]).map((name) => {
    const [what, past] = says[name]
    return { name, value: values[name], what, past }
  })
}
