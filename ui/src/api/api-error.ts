// SPDX-License-Identifier: Apache-2.0

/**
 * Why an answer could not be had. `title` says what failed, `message` why, in words for the reader.
 */
export class ApiError extends Error {
  readonly title: string;
  /** HTTP status, or 0 when there was no answer at all. */
  readonly status: number;

  constructor(title: string, message: string, status: number, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ApiError';
    this.title = title;
    this.status = status;
  }
}

/** The error for an answer that cannot be read. @param expected what `where` should have been, such as `a list` */
export function malformedAnswer(where: string, expected: string): ApiError {
  return new ApiError('The answer is of an unknown form', `${where} is not ${expected}.`, 200);
}
