/** The longest body of a Graph request. */
export const GRAPH_BODY_BYTES_MAX = 1_048_576

/** A request as the Graph door read it off the wire; the batch endpoint and the tests make one without a socket. */
export interface GraphRequest {
  readonly method: string
  /** As sent, without the query: it may hold `//`, end in `/` and lack a version (contract 9.4). */
  readonly path: string
  /** As sent, without the `?`. */
  readonly query: string
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array | undefined
  /** Where the caller reaches us, without a `/` at the end: `next` and `previous` start with it (contract 5.3). */
  readonly base_url: string
}

export interface GraphResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** JSON. */
  readonly body: string
}
