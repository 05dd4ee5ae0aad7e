/** Names, labels and annotations: the rules every kind shares. */

import type { FieldError } from "../errors.ts";
import type { Metadata } from "../metadata.ts";
import { matchesSubdomain, maximumNameLength, subdomainFormat } from "../names.ts";

const namePart = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const maximumPartLength = 63;
const maximumAnnotationBytes = 262_144;

// The texts are Kubernetes' own (apimachinery's validation package).
const namePartReason =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with " +
  "an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation " +
  "is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const labelValueReason =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and " +
  "must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', " +
  "regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const subdomainReason =
  "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' " +
  "or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for " +
  `validation is '${subdomainFormat}')`;

/** What is wrong with a Kubernetes qualified name, or undefined. */
function qualifiedNameProblem(key: string): string | undefined {
  const [first = "", second, ...more] = key.split("/");
  if (more.length > 0) {
    return (
      "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and " +
      "end with an alphanumeric character with an optional DNS subdomain prefix and '/' (e.g. " +
      "'example.com/MyName')"
    );
  }
  if (second !== undefined) {
    if (first === "") return "prefix part must be non-empty";
    if (first.length > maximumNameLength || !matchesSubdomain(first)) return subdomainReason;
  }
  const name = second ?? first;
  if (name === "") return "name part must be non-empty";
  if (name.length > maximumPartLength) {
    return `name part must be no more than ${maximumPartLength} characters`;
  }
  return namePart.test(name) ? undefined : namePartReason;
}

function labelValueProblem(value: string): string | undefined {
  if (value.length > maximumPartLength)
    return `must be no more than ${maximumPartLength} characters`;
  return labelValue.test(value) ? undefined : labelValueReason;
}

function checkName(name: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!matchesSubdomain(name)) {
    const reason = `name must consist of lower case alphanumeric characters, '-' or '.' (regex: ${subdomainFormat})`;
    errors.push({ name: "Metadata.Name", value: name, reason });
  }
  const excess = new TextEncoder().encode(name).length - maximumNameLength;
  if (excess > 0) {
    errors.push({
      name: "Metadata.Name",
      value: name,
      reason: `name is too long by ${excess} bytes`,
    });
  }
  return errors;
}

export function checkMetadata(metadata: Metadata): FieldError[] {
  const errors = checkName(metadata.name);
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    const keyReason = qualifiedNameProblem(key);
    if (keyReason) errors.push({ name: "Metadata.Labels (label)", value: key, reason: keyReason });
    const valueReason = labelValueProblem(value);
    if (valueReason) {
      errors.push({ name: "Metadata.Labels (value)", value, reason: valueReason });
    }
  }
  let bytes = 0;
  const encoder = new TextEncoder();
  for (const [key, value] of Object.entries(metadata.annotations ?? {})) {
    const reason = qualifiedNameProblem(key.toLowerCase());
    if (reason) errors.push({ name: "Metadata.Annotations (key)", value: key, reason });
    bytes += encoder.encode(key).length + encoder.encode(value).length;
  }
  if (bytes > maximumAnnotationBytes) {
    const excess = bytes - maximumAnnotationBytes;
    errors.push({
      name: "Metadata.Annotations (key)",
      reason: `total size of annotations is too large by ${excess} bytes`,
    });
  }
  return errors;
}
