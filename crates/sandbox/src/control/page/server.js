// Asks the control address. What goes wrong is thrown with the sentence that the address gave.

export async function ask(path, { method = "GET", body } = {}) {
  let response;
  try {
    response = await fetch(path, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
    });
  } catch {
    throw new Problem(0, null);
  }
  const text = await response.text();
  let document = null;
  try {
    document = text === "" ? null : JSON.parse(text);
  } catch {
    // Something else answers at this address.
  }
  if (!response.ok) throw new Problem(response.status, document?.error ?? null);
  return document;
}

export class Problem extends Error {
  constructor(status, sentence) {
    super(sentence ?? String(status));
    this.status = status;
    this.sentence = sentence;
  }
}
