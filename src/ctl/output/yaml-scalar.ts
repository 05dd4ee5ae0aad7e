/**
 * One text as a YAML 1.1 scalar: plain where it stays text, in single quotes where its characters
 * mean something to YAML, in double quotes where it would be read as another type or holds control
 * characters, as a literal block where it has line breaks.
 */

export interface ScalarPlace {
  /** Columns already written on the line. */
  readonly column: number;
  /** Indentation of the lines that follow, when the text is folded or a block. */
  readonly indent: number;
  /** Keys are never folded nor blocks. */
  readonly key?: boolean;
}

const foldColumn = 80;

export function scalarText(value: string, place: ScalarPlace): string {
  if (hasSpecialCharacters(value)) return doubleQuoted(value);
  if (value.includes("\n")) {
    // A block cannot keep spaces before its first or at the end of its last line.
    const plainBlock = !place.key && !/^[ \n]|[ \t]\n|[ \t]$/.test(value);
    return plainBlock ? literal(value, place) : doubleQuoted(value);
  }
  if (isOtherType(value)) return doubleQuoted(value);
  if (isPlain(value)) return fold(value, place);
  return fold(`'${value.replaceAll("'", "''")}'`, place);
}

/** What only double quotes can write. */
function hasSpecialCharacters(value: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it finds
  return /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff]/.test(value);
}

const otherTypes =
  /^(?:|~|null|Null|NULL|[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF|true|True|TRUE|false|False|FALSE|<<|\.nan|\.NaN|\.NAN|[-+]?\.(?:inf|Inf|INF))$/;
const integer = /^[-+]?(?:0[bB][01_]+|0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|[0-9][0-9_]*)$/;
const float = /^[-+]?(?:\.[0-9_]*|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9_]+)?$/;
/** Base 60, as in `1:30` or the MAC address `10:20:30`, to readers of YAML 1.1. */
const base60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const timestamp =
  /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]*)?(?:[ \t]*(?:[Zz]|[-+][0-9]{1,2}(?::?[0-9]{2})?))?)?$/;

function isOtherType(value: string): boolean {
  return [otherTypes, integer, float, base60, timestamp].some((pattern) => pattern.test(value));
}

function isPlain(value: string): boolean {
  if (/^[-?:](?: |$)|^[,[\]{}#&*!|>'"%@`]/.test(value)) return false;
  if (/^---|^\.\.\./.test(value)) return false;
  return !/^ | $|: |:$| #/.test(value);
}

/** Breaks lines at single spaces beyond the column where emitters of Go begin to. */
function fold(text: string, place: ScalarPlace): string {
  if (place.key || place.column + text.length <= foldColumn) return text;
  let column = place.column;
  let folded = "";
  for (let i = 0; i < text.length; i++) {
    const lone = text[i] === " " && text[i - 1] !== " " && text[i + 1] !== " ";
    const inside = i > 0 && i < text.length - 1;
    if (lone && inside && column > foldColumn) {
      folded += `\n${" ".repeat(place.indent)}`;
      column = place.indent;
    } else {
      folded += text[i];
      column++;
    }
  }
  return folded;
}

function literal(value: string, place: ScalarPlace): string {
  const trailing = /\n*$/.exec(value)![0].length;
  const chomp = trailing === 0 ? "-" : trailing === 1 ? "" : "+";
  const lines = value.slice(0, value.length - (trailing > 0 ? 1 : 0)).split("\n");
  const pad = " ".repeat(place.indent);
  return `|${chomp}\n${lines.map((line) => (line === "" ? "" : pad + line)).join("\n")}`;
}

const shortEscapes: Readonly<Record<string, string>> = {
  "\u0000": "\\0",
  "\u0007": "\\a",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\u000b": "\\v",
  "\f": "\\f",
  "\r": "\\r",
  "\u001b": "\\e",
  '"': '\\"',
  "\\": "\\\\",
  "\u0085": "\\N",
  "\u2028": "\\L",
  "\u2029": "\\P",
  "\ufeff": "\\uFEFF",
};

/** Never folded: what needs double quotes is short in practice, and one line is always right. */
function doubleQuoted(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it escapes
  const escaped = value.replace(/[\u0000-\u001f"\\\u007f-\u009f\u2028\u2029\ufeff]/g, (c) => {
    return shortEscapes[c] ?? `\\x${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  });
  return `"${escaped}"`;
}
