/** What went wrong, in the server's words. */
export class ApiError extends Error {
  readonly code: ErrorCode | (string & {});
  readonly status: number;
  /** How long to wait before trying again, where the server says so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: string, message: string, status: number, retryAfterSeconds?: number) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Nobody is signed in any more: the person has to sign in again. */
export class SignedOutError extends ApiError {
  override readonly name = "SignedOutError";
}

/** The page is of another session than the one that is signed in now: it has to be loaded again. */
export class StalePageError extends ApiError {
  override readonly name = "StalePageError";
}

/** The server did not answer, or something else answered in its place. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
}

export interface CallOptions {
  /** Ends the call. It then rejects with the signal's reason. */
  signal?: AbortSignal;
  /** The answer to a send of this operation and input that is under way already. */
  sent?: Promise<Response>;
  /** Is told of every answer, errors included. */
  seen?: (response: Response) => void;
}

/** Sends a call of an operation. */
export function send<Name extends keyof Operations>(operation: Name, input: Operations[Name]["input"], signal?: AbortSignal): Promise<Response> {
  return fetch(`/portal/api/${operation}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Atrium-Csrf": csrfToken() },
    body: JSON.stringify(input),
    credentials: "same-origin",
    cache: "no-store",
    redirect: "error",
    signal: signal ?? null,
  });
}

/**
 * Calls an operation for the person who is signed in. Rejects with an ApiError,
 * one of its kinds, or a ConnectionError.
 */
export async function call<Name extends keyof Operations>(
  operation: Name,
  input: Operations[Name]["input"],
  options: CallOptions = {},
): Promise<Operations[Name]["output"]> {
  let response: Response;
  let answer: unknown;
  try {
    response = await (options.sent ?? send(operation, input, options.signal));
    answer = await response.json();
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw new ConnectionError("The server did not answer.", { cause });
  }
  options.seen?.(response);
  if (response.ok) {
    return answer as Operations[Name]["output"];
  }
  throw errorOf(response.status, answer);
}

function errorOf(status: number, answer: unknown): Error {
  const body = (typeof answer === "object" && answer !== null ? answer : {}) as Record<string, unknown>;
  if (typeof body["__type"] !== "string") {
    return new ConnectionError(`Something else than the server answered, with the status ${status}.`);
  }
  const code = body["__type"];
  const told = body["message"] ?? body["Message"];
  const wait = body["RetryAfterSeconds"];
  const kind = status === 401 ? SignedOutError : code === "InvalidCsrfTokenException" ? StalePageError : ApiError;
  return new kind(code, typeof told === "string" ? told : code, status, typeof wait === "number" ? wait : undefined);
}

function csrfToken(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
}
