import type { HttpDoor, HttpResponse } from './http.ts'

/** How long a browser may remember what it was allowed. */
const ALLOWED_S = 600

/** What pages may read of an answer beside what every page may. */
const EXPOSED =
  'ETag, Facebook-Api-Version, X-Ad-Account-Usage, X-App-Usage, X-Business-Use-Case-Usage, X-FB-Ads-Insights-Throttle, X-FB-Trace-Id'

/**
 * Opens a door to the pages of some origins, and to no others: without any, browsers keep every page of another origin
 * from reading its answers. Cookies are nobody's way in here, so none are allowed.
 */
export function openToOrigins(door: HttpDoor, origins: readonly string[]): HttpDoor {
  if (origins.length === 0) return door
  return {
    ...door,
    async answer(request) {
      const origin = origins.find((one) => one === request.headers.origin)
      if (origin !== undefined && request.method === 'OPTIONS') return allow(origin)
      return share(await door.answer(request), origin)
    },
  }
}

function share(response: HttpResponse, origin: string | undefined): HttpResponse {
  const allowed = origin && { 'access-control-allow-origin': origin, 'access-control-expose-headers': EXPOSED }
  return { ...response, headers: { ...response.headers, ...allowed, vary: 'Origin' } }
}

/** The answer to a browser that asks before it sends a token in a header, or anything but a simple GET. */
function allow(origin: string): HttpResponse {
  const headers = {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'GET, POST, DELETE',
    'access-control-allow-headers': 'Authorization, Content-Type, If-None-Match',
    'access-control-max-age': String(ALLOWED_S),
    vary: 'Origin',
  }
  return { status: 204, headers, body: '' }
}
