// Whether manifests are what Kubernetes takes: its own schema for values, its types for fields that it does not know, which
// an API server drops in silence, and with them what a server was to be confined by.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as apps from 'kubernetes-models/apps/v1';
import * as networking from 'kubernetes-models/networking.k8s.io/v1';
import * as policy from 'kubernetes-models/policy/v1';
import * as core from 'kubernetes-models/v1';
import ts from 'typescript';
import { parseAllDocuments } from 'yaml';

const GROUPS = {
  v1: [core, 'kubernetes-models/v1'],
  'apps/v1': [apps, 'kubernetes-models/apps/v1'],
  'networking.k8s.io/v1': [networking, 'kubernetes-models/networking.k8s.io/v1'],
  'policy/v1': [policy, 'kubernetes-models/policy/v1'],
};
const folder = new URL('kubernetes/', import.meta.url);

/** Every manifest of the folder, with where it stands. */
export function readManifests() {
  return readdirSync(folder)
    .sort()
    .flatMap((file) =>
      parseAllDocuments(readFileSync(new URL(file, folder), 'utf8')).map((document) => {
        if (document.errors.length > 0) throw document.errors[0];
        return { file, manifest: document.toJS() };
      }),
    );
}

function groupOf({ apiVersion, kind }) {
  const [models, module] = GROUPS[apiVersion] ?? [];
  if (models?.[kind] === undefined) throw new Error(`there is no schema for ${apiVersion} ${kind}`);
  return { Model: models[kind], module };
}

/** What is wrong by the schema; empty where nothing is. */
export function schemaFaults(manifest) {
  const { Model } = groupOf(manifest);
  try {
    new Model(manifest).validate();
    return [];
  } catch (error) {
    return [error.message];
  }
}

/** What is wrong by the types, of several at once: fields that Kubernetes does not know above all. */
export function typeFaults(manifests) {
  const text = manifests
    .map((manifest, index) => {
      const name = `I${manifest.kind}`;
      return `import type { ${name} as T${index} } from '${groupOf(manifest).module}';
        export const m${index}: T${index} = ${JSON.stringify(manifest, null, 1)};`;
    })
    .join('\n');
  const path = fileURLToPath(new URL('manifests.check.ts', import.meta.url));
  const options = {
    ...{ strict: true, noEmit: true, skipLibCheck: true, types: [] },
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (name) => name === path || fileExists(name);
  host.readFile = (name) => (name === path ? text : readFile(name));
  host.getSourceFile = (name, ...rest) =>
    name === path
      ? ts.createSourceFile(name, text, {
          languageVersion: options.target,
          impliedNodeFormat: ts.ModuleKind.ESNext,
        })
      : getSourceFile(name, ...rest);
  const program = ts.createProgram([path], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
