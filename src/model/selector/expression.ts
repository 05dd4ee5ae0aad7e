/** A selector as a tree: what it matches, and its one canonical text. */

export type Expression =
  | { readonly kind: "all" }
  /** True; its meaning for namespaces comes from where it stands. */
  | { readonly kind: "global" }
  | { readonly kind: "has"; readonly label: string }
  | { readonly kind: Comparison; readonly label: string; readonly value: string }
  | { readonly kind: "in" | "not in"; readonly label: string; readonly values: readonly string[] }
  | { readonly kind: "not"; readonly operand: Expression }
  | { readonly kind: "and" | "or"; readonly operands: readonly Expression[] };

export type Comparison = "==" | "!=" | "contains" | "starts with" | "ends with";

export type Labels = Readonly<Record<string, string>>;

export function evaluate(expression: Expression, labels: Labels): boolean {
  switch (expression.kind) {
    case "all":
    case "global":
      return true;
    case "not":
      return !evaluate(expression.operand, labels);
    case "and":
      return expression.operands.every((operand) => evaluate(operand, labels));
    case "or":
      return expression.operands.some((operand) => evaluate(operand, labels));
    default:
      break;
  }
  const { label } = expression;
  const actual = Object.hasOwn(labels, label) ? labels[label] : undefined;
  // A missing label fails every test except the two negative ones.
  if (actual === undefined) return expression.kind === "!=" || expression.kind === "not in";
  switch (expression.kind) {
    case "has":
      return true;
    case "==":
      return actual === expression.value;
    case "!=":
      return actual !== expression.value;
    case "contains":
      return actual.includes(expression.value);
    case "starts with":
      return actual.startsWith(expression.value);
    case "ends with":
      return actual.endsWith(expression.value);
    case "in":
      return expression.values.includes(actual);
    case "not in":
      return !expression.values.includes(actual);
  }
}

function quoted(value: string): string {
  return value.includes('"') ? `'${value}'` : `"${value}"`;
}

export function canonicalText(expression: Expression): string {
  switch (expression.kind) {
    case "all":
    case "global":
      return `${expression.kind}()`;
    case "has":
      return `has(${expression.label})`;
    case "not":
      return `!${canonicalText(expression.operand)}`;
    case "and":
    case "or": {
      const joint = expression.kind === "and" ? " && " : " || ";
      return `(${expression.operands.map(canonicalText).join(joint)})`;
    }
    case "in":
    case "not in":
      return `${expression.label} ${expression.kind} {${expression.values.map(quoted).join(", ")}}`;
    default:
      return `${expression.label} ${expression.kind} ${quoted(expression.value)}`;
  }
}
