import { createDigester } from '../../activities/literals.ts';
import { redactLiterals } from '../../src/domain/release/redact.ts';

const digest = createDigester(Buffer.alloc(32, 1));
const pod = {
  metadata: {
    annotations: {
      'kubectl.kubernetes.io/last-applied-configuration': '{"PASSWORD":"hunter2"}',
      'windlass.dev/former-env': '{"step":{"PASSWORD":{"value":"hunter2"}}}',
      note: 'kept',
    },
    managedFields: [{ manager: 'kubectl' }],
  },
  spec: {
    containers: [
      {
        image: 'shop:v1',
        env: [
          { name: 'PASSWORD', value: 'hunter2' },
          { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'shop', key: 'token' } } },
        ],
      },
    ],
  },
};

test('literals of the environment are not shown, references to Secrets are', () => {
  expect(redactLiterals(pod, digest)).toEqual({
    metadata: { annotations: { note: 'kept' } },
    spec: {
      containers: [
        {
          image: 'shop:v1',
          env: [{ name: 'PASSWORD', value: digest('hunter2') }, pod.spec.containers[0]!.env[1]],
        },
      ],
    },
  });
});

test('a digest tells same from other under one key, and nothing under another', () => {
  expect(digest('hunter2')).toMatch(/^hmac:[a-f0-9]{12}$/);
  expect(digest('hunter2')).toBe(digest('hunter2'));
  expect(digest('hunter3')).not.toBe(digest('hunter2'));
  expect(createDigester()('hunter2')).not.toBe(digest('hunter2'));
});
