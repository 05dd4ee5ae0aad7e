/** Calico's selector language, parsed by recursive descent: `!` before `&&` before `||`. */

import {
  type Comparison,
  canonicalText,
  type Expression,
  evaluate,
  type Labels,
} from "./expression.ts";
import { selectorError, type Token, type TokenKind, tokenize, tokenText } from "./tokens.ts";

export interface Selector {
  matches(labels: Labels): boolean;
  /** The one text of all that mean the same tree; parsing it gives it again. */
  canonical(): string;
}

const comparisons: Partial<Record<TokenKind, Comparison>> = {
  TokEq: "==",
  TokNe: "!=",
  TokContains: "contains",
  TokStartsWith: "starts with",
  TokEndsWith: "ends with",
};

/** Deeper parentheses than anybody writes, and far from the end of the stack. */
const maximumDepth = 200;

class Parser {
  readonly #tokens: readonly Token[];
  #index = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get rest(): readonly Token[] {
    return this.#tokens.slice(this.#index);
  }

  /** The token here; past the end it is the end again. */
  get #token(): Token {
    return this.#tokens[this.#index] ?? this.#tokens.at(-1)!;
  }

  #accept(kind: TokenKind): boolean {
    if (this.#token.kind !== kind) return false;
    this.#index++;
    return true;
  }

  or(): Expression {
    const operands = [this.#and()];
    while (this.#accept("TokOr")) operands.push(this.#and());
    return operands.length === 1 ? operands[0]! : { kind: "or", operands };
  }

  #and(): Expression {
    const operands = [this.#operation()];
    while (this.#accept("TokAnd")) operands.push(this.#operation());
    return operands.length === 1 ? operands[0]! : { kind: "and", operands };
  }

  #operation(): Expression {
    let negated = false;
    while (this.#accept("TokNot")) negated = !negated;
    const operand = this.#primary();
    if (!negated) return operand;
    // `!(!x)` is x, so that no canonical text parses to another.
    return operand.kind === "not" ? operand.operand : { kind: "not", operand };
  }

  #primary(): Expression {
    const token = this.#token;
    switch (token.kind) {
      case "TokHas":
        this.#index++;
        return { kind: "has", label: token.value };
      case "TokAll":
        this.#index++;
        return { kind: "all" };
      case "TokGlobal":
        this.#index++;
        return { kind: "global" };
      case "TokLabel":
        this.#index++;
        return this.#comparison(token.value);
      case "TokLParen":
        this.#index++;
        return this.#parenthesized();
      default:
        throw selectorError(`unexpected token: ${tokenText(token)}`);
    }
  }

  #parenthesized(): Expression {
    if (++this.#depth > maximumDepth) {
      throw selectorError(`more than ${maximumDepth} parentheses inside each other`);
    }
    const expression = this.or();
    if (!this.#accept("TokRParen")) throw selectorError("expected )");
    this.#depth--;
    return expression;
  }

  #comparison(label: string): Expression {
    // A label needs an operator and an operand, so the end may be two tokens away at the nearest.
    if (this.#index + 1 >= this.#tokens.length) {
      throw selectorError("unexpected end of string looking for op");
    }
    const operator = this.#token;
    this.#index++;
    if (operator.kind === "TokIn" || operator.kind === "TokNotIn") {
      const values = this.#set();
      return { kind: operator.kind === "TokIn" ? "in" : "not in", label, values };
    }
    const kind = comparisons[operator.kind];
    if (!kind) throw selectorError(`expected == or != not: ${tokenText(operator)}`);
    const { value } = this.#token;
    if (!this.#accept("TokStringLiteral")) throw selectorError("expected string");
    return { kind, label, value };
  }

  #set(): readonly string[] {
    if (!this.#accept("TokLBrace")) throw selectorError("expected set literal");
    const values = new Set<string>();
    while (this.#token.kind === "TokStringLiteral") {
      values.add(this.#token.value);
      this.#index++;
      if (!this.#accept("TokComma")) break;
    }
    if (!this.#accept("TokRBrace")) throw selectorError("expected }");
    return [...values].sort();
  }
}

function parseExpression(text: string): Expression {
  const tokens = tokenize(text);
  if (tokens.length === 1) return { kind: "all" };
  const parser = new Parser(tokens);
  const expression = parser.or();
  const { rest } = parser;
  if (rest.length !== 1) {
    const found = rest.map(tokenText).join(" ");
    throw selectorError(`unexpected content at end of selector [${found}]`);
  }
  return expression;
}

/** @throws SwitchyardError RESOURCE_INVALID with the text Calico's parser gives. */
export function parseSelector(text: string): Selector {
  const expression = parseExpression(text);
  return {
    matches: (labels) => evaluate(expression, labels),
    canonical: () => canonicalText(expression),
  };
}
