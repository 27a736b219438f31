import { parseText, type Value } from './encoding.ts'

/** Languages that people are answered in. */
export const LANGUAGES = ['en', 'ko'] as const

export type Language = (typeof LANGUAGES)[number]

/** The language that `locale` asks for, as `ko_KR`, `ko-KR` or `ko` do (contract 3); English where it is any other. */
export function parseLanguage(locale: Value | undefined): Language {
  const [language] = /^[a-z]+/i.exec(typeof locale === 'string' ? parseText(locale) : '') ?? []
  return LANGUAGES.find((one) => one === language?.toLowerCase()) ?? 'en'
}

/** The language that a query asks for, even one that cannot be parsed otherwise. */
export function languageAsked(query: string): Language {
  return parseLanguage(new URLSearchParams(query).get('locale') ?? undefined)
}

/** What the people in front of a client are told of an error (contract 7.1). */
export interface UserText {
  readonly error_user_title: string
  readonly error_user_msg: string
}

/** The first of English is Meta's own, and so is the title of the second (contract 7.3). */
const ENGLISH = {
  requestLimit: {
    error_user_title: 'Ad Account Has Too Many API Calls',
    error_user_msg: 'There have been too many calls from this ad-account. Please wait a bit and try again.',
  },
  tooManyReports: {
    error_user_title: 'Too many API requests',
    error_user_msg: 'Too many reports of this ad account are still being made. Please try again when some are done.',
  },
  tooMuchData: {
    error_user_title: 'Too much data at once',
    error_user_msg: 'Please ask for fewer days, campaigns or ads, and try again.',
  },
  parameter: {
    error_user_title: 'Something in this request is not valid',
    error_user_msg: 'Please check the dates, the filters and the other choices, and try again.',
  },
  historyTooOld: {
    error_user_title: 'The dates are too far back',
    error_user_msg: 'Please choose a start date within the last 37 months.',
  },
  missing: {
    error_user_title: 'Not found',
    error_user_msg: 'It does not exist, or you have no access to it. Please check the id, or ask for access.',
  },
  tokenMissing: {
    error_user_title: 'You are not signed in',
    error_user_msg: 'Please connect with an access token, and try again.',
  },
  tokenUnknown: {
    error_user_title: 'The access token is not valid',
    error_user_msg: 'Please check the access token, or ask an administrator for a new one.',
  },
  tokenExpired: {
    error_user_title: 'The access token has expired',
    error_user_msg: 'Please ask an administrator for a new access token.',
  },
  permission: {
    error_user_title: 'You may not make changes',
    error_user_msg: 'Your access token can only read. Please ask an administrator for one that can make changes.',
  },
  reportNotReady: {
    error_user_title: 'The report is not ready',
    error_user_msg: 'Please wait until the report is done. If it has failed, ask for it again.',
  },
  reportTooLarge: {
    error_user_title: 'The report is too large',
    error_user_msg: 'Ask for fewer days or objects, or leave out sort and summary.',
  },
  reportFailed: {
    error_user_title: 'The report failed',
    error_user_msg: 'Ask for it again.',
  },
  unavailable: {
    error_user_title: 'The service is busy',
    error_user_msg: 'Please try again in a moment.',
  },
  unknown: {
    error_user_title: 'Something went wrong',
    error_user_msg: 'Please try again. If it happens again, tell an administrator the fbtrace_id of this error.',
  },
} as const satisfies Readonly<Record<string, UserText>>

/** Names a text in every language. */
export type UserTextName = keyof typeof ENGLISH

const KOREAN: Readonly<Record<UserTextName, UserText>> = {
  requestLimit: {
    error_user_title: '광고 계정의 API 호출 한도를 초과했습니다',
    error_user_msg: '이 광고 계정에서 API를 너무 많이 호출했습니다. 잠시 후 다시 시도해 주시기 바랍니다.',
  },
  tooManyReports: {
    error_user_title: 'API 요청이 너무 많습니다',
    error_user_msg:
      '이 광고 계정에서 아직 만들고 있는 보고서가 너무 많습니다. 일부가 완료된 후 다시 시도해 주시기 바랍니다.',
  },
  tooMuchData: {
    error_user_title: '한 번에 요청한 데이터가 너무 많습니다',
    error_user_msg: '기간을 줄이거나 캠페인 또는 광고 수를 줄여 다시 시도해 주시기 바랍니다.',
  },
  parameter: {
    error_user_title: '요청에 올바르지 않은 값이 있습니다',
    error_user_msg: '날짜, 필터 등 선택한 항목을 확인한 후 다시 시도해 주시기 바랍니다.',
  },
  historyTooOld: {
    error_user_title: '조회할 수 있는 기간이 지났습니다',
    error_user_msg: '최근 37개월 이내의 시작일을 선택해 주시기 바랍니다.',
  },
  missing: {
    error_user_title: '요청한 항목을 찾을 수 없습니다',
    error_user_msg: '항목이 존재하지 않거나 접근 권한이 없습니다. ID를 확인하거나 접근 권한을 요청해 주시기 바랍니다.',
  },
  tokenMissing: {
    error_user_title: '로그인이 필요합니다',
    error_user_msg: '액세스 토큰으로 연결한 후 다시 시도해 주시기 바랍니다.',
  },
  tokenUnknown: {
    error_user_title: '액세스 토큰이 유효하지 않습니다',
    error_user_msg: '액세스 토큰을 확인하거나 관리자에게 새 토큰을 요청해 주시기 바랍니다.',
  },
  tokenExpired: {
    error_user_title: '액세스 토큰이 만료되었습니다',
    error_user_msg: '관리자에게 새 액세스 토큰을 요청해 주시기 바랍니다.',
  },
  permission: {
    error_user_title: '변경할 권한이 없습니다',
    error_user_msg:
      '현재 액세스 토큰으로는 조회만 할 수 있습니다. 변경하려면 관리자에게 쓰기 권한을 요청해 주시기 바랍니다.',
  },
  reportNotReady: {
    error_user_title: '보고서가 아직 준비되지 않았습니다',
    error_user_msg:
      '보고서가 완료될 때까지 기다려 주시기 바랍니다. 생성에 실패한 경우에는 다시 요청해 주시기 바랍니다.',
  },
  reportTooLarge: {
    error_user_title: '보고서가 너무 큽니다',
    error_user_msg: '기간이나 대상 수를 줄이거나 정렬과 합계를 제외하고 다시 요청해 주시기 바랍니다.',
  },
  reportFailed: {
    error_user_title: '보고서를 만들지 못했습니다',
    error_user_msg: '보고서를 다시 요청해 주시기 바랍니다.',
  },
  unavailable: {
    error_user_title: '지금은 요청을 처리할 수 없습니다',
    error_user_msg: '잠시 후 다시 시도해 주시기 바랍니다.',
  },
  unknown: {
    error_user_title: '문제가 발생했습니다',
    error_user_msg:
      '다시 시도해 주시기 바랍니다. 같은 문제가 계속되면 이 오류의 fbtrace_id를 관리자에게 알려 주시기 바랍니다.',
  },
}

/** What people are told, by language. */
export const USER_TEXTS: Readonly<Record<Language, Readonly<Record<UserTextName, UserText>>>> = {
  en: ENGLISH,
  ko: KOREAN,
}
