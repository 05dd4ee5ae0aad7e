/** Words of Calico's selector language. Keyword operators exist only right after a label. */

import { SwitchyardError } from "../../lib/index.ts";

/** Messages print a token as `Kind(value)`, by these names. */
export type TokenKind =
  | "TokLabel"
  | "TokStringLiteral"
  | "TokLBrace"
  | "TokRBrace"
  | "TokComma"
  | "TokEq"
  | "TokNe"
  | "TokIn"
  | "TokNot"
  | "TokNotIn"
  | "TokContains"
  | "TokStartsWith"
  | "TokEndsWith"
  | "TokAll"
  | "TokHas"
  | "TokLParen"
  | "TokRParen"
  | "TokAnd"
  | "TokOr"
  | "TokGlobal"
  | "TokEOF";

export interface Token {
  readonly kind: TokenKind;
  /** A label's name or a string's content, otherwise "". */
  readonly value: string;
}

export function tokenText(token: Token): string {
  return `${token.kind}(${token.value})`;
}

export function selectorError(message: string): SwitchyardError {
  return new SwitchyardError("RESOURCE_INVALID", message);
}

const maximumLabelLength = 512;
// Sticky, so that each is tried at one place and no input is scanned twice.
const blanks = /[ \t]*/y;
const identifier = /[A-Za-z0-9_./-]+/y;
const keyword = /(contains|starts[ \t]*with|ends[ \t]*with|not[ \t]*in|in)(?![A-Za-z0-9_./-])/y;
const call = /(has|all|global)\(/y;

const symbols: Readonly<Record<string, TokenKind>> = {
  "(": "TokLParen",
  ")": "TokRParen",
  "{": "TokLBrace",
  "}": "TokRBrace",
  ",": "TokComma",
};

const doubled: Readonly<Record<string, TokenKind>> = { "=": "TokEq", "&": "TokAnd", "|": "TokOr" };

const keywords: Readonly<Record<string, TokenKind>> = {
  contains: "TokContains",
  startswith: "TokStartsWith",
  endswith: "TokEndsWith",
  notin: "TokNotIn",
  in: "TokIn",
};

class Scanner {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#position;
    const match = pattern.exec(this.#text);
    if (match) this.#position += match[0].length;
    return match;
  }

  /** `after` is the token before this one. */
  next(after: Token | undefined): Token {
    this.#match(blanks);
    const first = this.#text[this.#position];
    if (first === undefined) return { kind: "TokEOF", value: "" };
    const symbol = symbols[first];
    if (symbol) return this.#take(symbol, 1);
    if (first === '"' || first === "'") return this.#string(first);
    const second = this.#text[this.#position + 1];
    if (first === "!") return second === "=" ? this.#take("TokNe", 2) : this.#take("TokNot", 1);
    const pair = doubled[first];
    if (pair && second === first) return this.#take(pair, 2);
    if (pair) throw selectorError(`expected ${first}${first}`);
    return after?.kind === "TokLabel" ? this.#operator(after.value) : this.#word();
  }

  #take(kind: TokenKind, length: number): Token {
    this.#position += length;
    return { kind, value: "" };
  }

  #string(quote: string): Token {
    const end = this.#text.indexOf(quote, this.#position + 1);
    if (end < 0) throw selectorError("unterminated string");
    const value = this.#text.slice(this.#position + 1, end);
    this.#position = end + 1;
    return { kind: "TokStringLiteral", value };
  }

  #operator(label: string): Token {
    const match = this.#match(keyword);
    const kind = match && keywords[match[0].replace(/[ \t]/g, "")];
    if (!kind) throw selectorError(`expected operator after label "${label}"`);
    return { kind, value: "" };
  }

  #word(): Token {
    const name = this.#match(call)?.[1];
    if (name === undefined) return { kind: "TokLabel", value: this.#identifier() };
    this.#match(blanks);
    const value = name === "has" ? this.#identifier() : "";
    this.#match(blanks);
    if (this.#text[this.#position] !== ")") {
      throw selectorError(`no closing ')' after ${name}(`);
    }
    this.#position++;
    const kind = name === "has" ? "TokHas" : name === "all" ? "TokAll" : "TokGlobal";
    return { kind, value };
  }

  #identifier(): string {
    const name = this.#match(identifier)?.[0];
    if (name === undefined) throw selectorError("expected identifier");
    if (name.length > maximumLabelLength) throw selectorError(`label too long: ${name}`);
    return name;
  }
}

/** The last token is always TokEOF. @throws RESOURCE_INVALID. */
export function tokenize(text: string): Token[] {
  const scanner = new Scanner(text);
  const tokens: Token[] = [];
  for (;;) {
    const token = scanner.next(tokens.at(-1));
    tokens.push(token);
    if (token.kind === "TokEOF") return tokens;
  }
}
