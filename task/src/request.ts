/** The request to the library: all that only the agent knows. Its shape is the contract in `task/README.md`. */

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { tl } from './task-lib';

const AWS_PARAMETERS = [
  'username', 'password', 'sessionToken', 'assumeRoleArn', 'roleSessionName', 'externalId', 'useOIDC',
] as const;
/** Where the kinds of an Azure DevOps connection keep their token: `Token`, `OAuth`, `UsernamePassword`. */
const TOKEN_PARAMETERS = ['apitoken', 'AccessToken', 'password'] as const;

export interface Request {
  readonly version: 1;
  readonly inputs: Readonly<Record<string, string>>;
  readonly aws: {
    readonly connection: string;
    readonly parameters: Readonly<Record<(typeof AWS_PARAMETERS)[number], string>>;
  } | null;
  readonly azureDevOps: { readonly url: string; readonly token: string; readonly scheme: string } | null;
  readonly accessToken: string;
  readonly awsVariables: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string;
    readonly region: string;
    readonly maxDuration: string;
  };
  readonly proxy: {
    readonly url: string;
    readonly username: string;
    readonly password: string;
    readonly bypass: readonly string[];
  } | null;
  readonly caFile: string;
  readonly skipCertificateValidation: boolean;
  readonly resultFile: string;
}

/** Return the request of this call of the task, which lies in `folder`. */
export function readRequest(folder: string): Request {
  const inputs = readInputs(path.join(folder, 'task.json'));
  return {
    version: 1,
    inputs,
    aws: readAws(inputs['awsCredentials']),
    azureDevOps: readAzureDevOps(inputs['azureDevOpsConnection']),
    accessToken: parameter('SystemVssConnection', 'AccessToken'),
    awsVariables: {
      accessKeyId: variable('AWS.AccessKeyID'),
      secretAccessKey: variable('AWS.SecretAccessKey'),
      sessionToken: variable('AWS.SessionToken'),
      region: variable('AWS.Region'),
      maxDuration: variable('aws.rolecredential.maxduration'),
    },
    proxy: readProxy(),
    caFile: variable('Agent.CAInfo'),
    skipCertificateValidation: variable('Agent.SkipCertValidation').toLowerCase() === 'true',
    resultFile: path.join(temporaryFolder(), `ecs-cd-${randomUUID()}.json`),
  };
}

/** Return what in a request must never be shown. */
export function secretsOf(request: Request): string[] {
  const { aws, azureDevOps, awsVariables, proxy } = request;
  const found = [
    request.accessToken, awsVariables.secretAccessKey, awsVariables.sessionToken,
    aws?.parameters.password, aws?.parameters.sessionToken, aws?.parameters.externalId,
    azureDevOps?.token, proxy?.password,
  ];
  return found.filter((secret) => secret !== undefined && secret !== '') as string[];
}

/** Return every input that was given, by its name in `task.json`: that file is the one list of them. */
function readInputs(file: string): Record<string, string> {
  const task = JSON.parse(readFileSync(file, 'utf8')) as { inputs: { name: string }[] };
  const given = task.inputs.map(({ name }) => [name, tl.getInput(name) ?? ''] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== ''));
}

function readAws(connection: string | undefined): Request['aws'] {
  if (connection === undefined) return null;
  const parameters = Object.fromEntries(AWS_PARAMETERS.map((key) => [key, parameter(connection, key)]));
  return { connection, parameters: parameters as Record<(typeof AWS_PARAMETERS)[number], string> };
}

function readAzureDevOps(connection: string | undefined): Request['azureDevOps'] {
  if (connection === undefined) return null;
  const tokens = TOKEN_PARAMETERS.map((key) => parameter(connection, key));
  return {
    url: tl.getEndpointUrl(connection, true) ?? '',
    token: tokens.find((token) => token !== '') ?? '',
    scheme: tl.getEndpointAuthorizationScheme(connection, true) ?? '',
  };
}

function readProxy(): Request['proxy'] {
  const url = variable('Agent.ProxyUrl');
  if (url === '') return null;
  return {
    url,
    username: variable('Agent.ProxyUsername'),
    password: variable('Agent.ProxyPassword'),
    bypass: bypassList(variable('Agent.ProxyBypassList')),
  };
}

function bypassList(text: string): string[] {
  const refused = new Error('The agent\'s proxy bypass list (Agent.ProxyBypassList) is not a JSON list of strings.');
  let list: unknown;
  try {
    list = JSON.parse(text === '' ? '[]' : text);
  } catch {
    throw refused;
  }
  if (!Array.isArray(list) || !list.every((item) => typeof item === 'string')) throw refused;
  return list;
}

function parameter(connection: string, key: string): string {
  return tl.getEndpointAuthorizationParameter(connection, key, true) ?? '';
}

function variable(name: string): string {
  return tl.getVariable(name) ?? '';
}

function temporaryFolder(): string {
  const folder = variable('Agent.TempDirectory');
  return folder === '' ? tmpdir() : folder;
}
