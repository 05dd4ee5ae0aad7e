/**
 * JSON as Go's encoder indents it: two spaces, `<`, `>`, `&` and the two Unicode line separators
 * escaped for HTML, no newline at the end. Empty objects and arrays stay on one line, as in Go.
 */

const escapes: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

export function formatJson(value: unknown): string {
  const text = JSON.stringify(value, null, 2);
  return text.replace(/[<>&\u2028\u2029]/g, (character) => escapes[character]!);
}
