/**
 * Where the datastore is: from the file of `--config` if there is one, else from the environment,
 * else the system's server, else a lab's. The file is Calico's CalicoAPIConfig with a datastore
 * type of our own, `switchyard`.
 */

import { existsSync, readFileSync } from "node:fs";
import { SwitchyardError } from "../lib/index.ts";
import type { CtlContext } from "./context.ts";

export const defaultConfigPath = "/etc/calico/calicoctl.cfg";
export const defaultSocketPath = "/run/switchyard/api.sock";
export const labSocketPath = "/run/switchyard/lab/api.sock";

export interface Connection {
  readonly socketPath: string;
}

/** @throws SwitchyardError INVALID_ARGUMENT when the file is named but missing, or wrong. */
export async function resolveConnection(
  configPath: string,
  env: CtlContext["env"],
): Promise<Connection> {
  if (existsSync(configPath)) return await connectionFromFile(configPath);
  if (configPath !== defaultConfigPath) {
    throw new SwitchyardError("INVALID_ARGUMENT", `Error reading config file: ${configPath}`, {
      details: { stream: "stdout" },
    });
  }
  const named = env.SWITCHYARD_SOCKET;
  if (named) return { socketPath: named };
  const useLab = !existsSync(defaultSocketPath) && existsSync(labSocketPath);
  return { socketPath: useLab ? labSocketPath : defaultSocketPath };
}

const specFields: readonly string[] = [
  "datastoreType",
  "socketPath",
  "etcdEndpoints",
  "etcdDiscoverySrv",
  "etcdUsername",
  "etcdPassword",
  "etcdKeyFile",
  "etcdCertFile",
  "etcdCACertFile",
  "etcdKey",
  "etcdCert",
  "etcdCACert",
  "kubeconfig",
  "kubeconfigInline",
  "k8sAPIEndpoint",
  "k8sKeyFile",
  "k8sCertFile",
  "k8sCAFile",
  "k8sAPIToken",
  "k8sInsecureSkipTLSVerify",
  "k8sDisableNodePoll",
  "usePodCIDR",
  "k8sClientQPS",
  "k8sClientBurst",
  "k8sCurrentContext",
  "calicoAPIGroup",
];

async function connectionFromFile(path: string): Promise<Connection> {
  const fields = await readFields(path);
  const { apiVersion, kind, metadata: _, spec, ...rest } = fields;
  if (apiVersion !== "projectcalico.org/v3") {
    throw refuse(`invalid config file: unknown APIVersion '${textOf(apiVersion)}'`);
  }
  if (kind !== "CalicoAPIConfig") {
    throw refuse(`invalid config file: expected kind 'CalicoAPIConfig', got '${textOf(kind)}'`);
  }
  const specMap = (spec ?? {}) as Readonly<Record<string, unknown>>;
  const unknown =
    Object.keys(rest)[0] ?? Object.keys(specMap).find((key) => !specFields.includes(key));
  if (unknown !== undefined) throw syntaxError(path, `json: unknown field "${unknown}"`);
  return connectionFromSpec(path, specMap);
}

async function readFields(path: string): Promise<Readonly<Record<string, unknown>>> {
  const { parseDocumentText } = await import("./input/documents.ts");
  let value: unknown;
  try {
    value = parseDocumentText({ text: readFileSync(path, "utf8"), linesBefore: 0 });
  } catch (error) {
    throw syntaxError(path, (error as Error).message);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw syntaxError(path, "expected an object");
}

function connectionFromSpec(path: string, spec: Readonly<Record<string, unknown>>): Connection {
  const { datastoreType, socketPath } = spec;
  const type = datastoreType ?? (spec.etcdEndpoints ? "etcdv3" : "kubernetes");
  if (type !== "switchyard") {
    throw refuse(
      `invalid config file: datastoreType '${textOf(type)}' in ${path} is not supported by this version of switchyard: use datastoreType 'switchyard' with socketPath`,
    );
  }
  if (socketPath !== undefined && typeof socketPath !== "string") {
    throw syntaxError(path, "json: cannot unmarshal socketPath into a value of type string");
  }
  return { socketPath: socketPath || defaultSocketPath };
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? "" : String(value);
}

function refuse(text: string): SwitchyardError {
  return new SwitchyardError("INVALID_ARGUMENT", text);
}

function syntaxError(path: string, text: string): SwitchyardError {
  return refuse(`syntax error in ${path}: failed to parse config as YAML/JSON: ${text}`);
}
