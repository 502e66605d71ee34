/** Asking a service that may be busy or still starting: it says when to ask again. */

const LONGEST_WAIT_S = 20;

/** The answer to a request; one that is refused for now is made again when the service says, and `waits` is told. */
export async function patiently(address: string, request: RequestInit, waits: (seconds: number) => void = () => {}): Promise<Response> {
  for (;;) {
    const response = await fetch(address, request);
    const seconds = Number(response.headers.get("Retry-After"));
    if (response.status !== 503 || !seconds || seconds > LONGEST_WAIT_S) return response;
    waits(seconds);
    await new Promise((resume) => setTimeout(resume, seconds * 1000));
    request.signal?.throwIfAborted();
  }
}
