/** A header that an answer of the Graph API may have beside those of any HTTP answer. */
export interface AnswerHeader {
  readonly name: string
  readonly meaning: string
  /** The answers that can have it, where not all can: errors, or those to a GET that succeeded. */
  readonly on?: 'GET' | 'error'
}

/** The headers of answers, for the reference page and `/openapi.json` (contract 8). */
export const ANSWER_HEADERS: readonly AnswerHeader[] = [
  { name: 'facebook-api-version', meaning: 'the version that answered' },
  {
    name: 'etag',
    meaning:
      'the SHA-1 of the body, of a GET that succeeded; sent back in `If-None-Match` it is answered 304 without a body',
    on: 'GET',
  },
  {
    name: 'x-fb-ads-insights-throttle',
    meaning:
      'what of `--request-limit` is used, in percent; 0 without one, and always 0 of a batch as a whole, whose items have their own',
  },
  { name: 'x-app-usage', meaning: 'the same in full; only with a request limit' },
  { name: 'x-ad-account-usage', meaning: 'the same of the ad account; only with a request limit' },
  {
    name: 'x-business-use-case-usage',
    meaning:
      'the same under the id of the ad account that the call is about, as `ads_insights` for insights and reports, ' +
      '`ads_management` for the rest, with and without a request limit; not where it is about none, or several',
  },
  { name: 'retry-after', meaning: 'of code 17: the seconds until the token may call again', on: 'error' },
  { name: 'x-fb-trace-id', meaning: 'of errors: names the answer, as `fbtrace_id` does', on: 'error' },
  { name: 'www-authenticate', meaning: 'of errors: the message, cut to 500 characters', on: 'error' },
]
