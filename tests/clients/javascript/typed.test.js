// Typed calls, the patches, the object API, kubeconfigs and logs.
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import * as k8s from '@kubernetes/client-node';
import { Cluster, deployment, eventually, refused } from './cluster.js';

const namespace = 'default';

describe('typed clients', () => {
  let cluster, config, core, apps;
  before(async () => {
    cluster = await Cluster.start();
    config = cluster.config();
    core = config.makeApiClient(k8s.CoreV1Api);
    apps = config.makeApiClient(k8s.AppsV1Api);
    await eventually('the default service account', async () =>
      (await core.listNamespacedServiceAccount({ namespace })).items.some((account) => account.metadata.name === 'default'));
  });
  after(() => cluster.stop());

  it('rolls a deployment out and scales it', async () => {
    const made = await apps.createNamespacedDeployment({ namespace, body: deployment('web', 2) });
    assert.ok(made.metadata.creationTimestamp instanceof Date);
    assert.equal(made.spec.strategy.rollingUpdate.maxSurge, '25%');
    await eventually('two available pods', async () =>
      (await apps.readNamespacedDeployment({ name: 'web', namespace })).status.availableReplicas === 2);
    const pods = await core.listNamespacedPod({ namespace, labelSelector: 'app=web' });
    assert.deepEqual(pods.items.map((pod) => pod.status.phase), ['Running', 'Running']);
    const scale = await apps.readNamespacedDeploymentScale({ name: 'web', namespace });
    scale.spec.replicas = 1;
    await apps.replaceNamespacedDeploymentScale({ name: 'web', namespace, body: scale });
    await eventually('one pod', async () => (await core.listNamespacedPod({ namespace, labelSelector: 'app=web' })).items.length === 1);
  });

  it('patches in four ways', async () => {
    await apps.createNamespacedDeployment({ namespace, body: deployment('patched') });
    const patch = (body, strategy) => apps.patchNamespacedDeployment(
      { name: 'patched', namespace, body, fieldManager: 'tests', force: strategy.includes('apply') ? true : undefined },
      k8s.setHeaderOptions('Content-Type', strategy));
    let now = await patch([{ op: 'replace', path: '/spec/replicas', value: 3 }], k8s.PatchStrategy.JsonPatch);
    assert.equal(now.spec.replicas, 3);
    now = await patch({ metadata: { annotations: { a: 'b' } } }, k8s.PatchStrategy.MergePatch);
    assert.equal(now.metadata.annotations.a, 'b');
    now = await patch({ spec: { template: { spec: { containers: [{ name: 'side', image: 'busybox' }] } } } },
      k8s.PatchStrategy.StrategicMergePatch);
    assert.deepEqual(now.spec.template.spec.containers.map((container) => container.name).sort(), ['side', 'web']);
    now = await patch({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'patched' }, spec: { replicas: 4 } },
      k8s.PatchStrategy.ServerSideApply);
    assert.equal(now.spec.replicas, 4);
    assert.ok(now.metadata.managedFields.some((entry) => entry.manager === 'tests' && entry.operation === 'Apply'));
    const status = await refused(415, patch({}, 'application/x-unknown'));
    assert.equal(status.message, '415: Unsupported Media Type');
  });

  it('says what is wrong', async () => {
    const missing = await refused(404, core.readNamespacedPod({ name: 'nobody', namespace }));
    assert.equal(missing.message, 'pods "nobody" not found');
    const wrong = deployment('wrong');
    wrong.spec.replicas = -1;
    const invalid = await refused(422, apps.createNamespacedDeployment({ namespace, body: wrong }));
    assert.deepEqual(invalid.details.causes.map((cause) => cause.field), ['spec.replicas']);
  });

  it('reads, writes and deletes objects of any kind by what they say of themselves', async () => {
    const objects = k8s.KubernetesObjectApi.makeApiClient(config);
    const group = 'javascript.example.com';
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: `teas.${group}` },
      spec: {
        group, scope: 'Namespaced', names: { plural: 'teas', kind: 'Tea' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: {
          type: 'object', properties: { spec: { type: 'object', properties: { minutes: { type: 'integer', maximum: 9 } } } } } } }],
      },
    };
    await objects.create(definition);
    await eventually('the kind', async () => {
      const now = await objects.read(definition);
      return now.status.conditions?.some((condition) => condition.type === 'Established' && condition.status === 'True');
    });
    const tea = { apiVersion: `${group}/v1`, kind: 'Tea', metadata: { name: 'green', namespace }, spec: { minutes: 3 } };
    const made = await objects.create(tea);
    assert.equal(made.spec.minutes, 3);
    const patched = await objects.patch({ ...tea, spec: { minutes: 4 } }, undefined, undefined, undefined, undefined,
      k8s.PatchStrategy.MergePatch);
    assert.equal(patched.spec.minutes, 4);
    const listed = await objects.list(`${group}/v1`, 'Tea', namespace);
    assert.deepEqual(listed.items.map((item) => item.metadata.name), ['green']);
    const invalid = await refused(422, objects.replace({ ...patched, spec: { minutes: 10 } }));
    assert.match(invalid.message, /spec.minutes in body should be less than or equal to 9/);
    await objects.delete(tea);
    await refused(404, objects.read(tea));
    await objects.delete(definition);
  });

  it('reads kubeconfigs from files, with several contexts', async () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'kubemu-')), 'config');
    writeFileSync(file, cluster.kubeconfigText());
    const loaded = new k8s.KubeConfig();
    loaded.loadFromFile(file);
    assert.equal(loaded.getCurrentCluster().server, `http://127.0.0.1:${cluster.port}`);
    loaded.addCluster({ name: 'nowhere', server: 'http://127.0.0.1:1' });
    loaded.addContext({ name: 'nowhere', cluster: 'nowhere', user: loaded.getCurrentUser().name });
    loaded.setCurrentContext('nowhere');
    await assert.rejects(loaded.makeApiClient(k8s.CoreV1Api).listNode());
    loaded.setCurrentContext(cluster.config().getCurrentContext());
    const nodes = await loaded.makeApiClient(k8s.CoreV1Api).listNode();
    assert.equal(nodes.items.length, 3);
  });

  it('reads logs to their end', async () => {
    await core.createNamespacedPod({ namespace, body: { metadata: { name: 'speaks' }, spec: { restartPolicy: 'Never',
      containers: [{ name: 'main', image: 'busybox', command: ['sh', '-c', 'echo one; echo two'] }] } } });
    await eventually('the end of the pod', async () =>
      (await core.readNamespacedPod({ name: 'speaks', namespace })).status.phase === 'Succeeded');
    let text = '';
    const stream = new Writable({ write(chunk, _, done) { text += chunk; done(); } });
    await new k8s.Log(config).log(namespace, 'speaks', 'main', stream, { follow: true });
    await eventually('the log', () => text === 'one\ntwo\n');
  });
});
