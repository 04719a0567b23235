import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apply, kubectl, type TestNamespace } from './namespace.ts';

/** A folder of this machine that pods of a namespace find behind a PersistentVolumeClaim. */
export interface HostVolume {
  folder: string;
  /** After its namespace is gone. */
  remove(): Promise<void>;
}

export async function createHostVolume({ name: namespace }: TestNamespace, claim: string): Promise<HostVolume> {
  const folder = mkdtempSync(join(tmpdir(), 'windlass-volume-'));
  // The sample's image runs as nobody in particular.
  chmodSync(folder, 0o777);
  const name = `${namespace}-${claim}`;
  const access = { accessModes: ['ReadWriteMany'], storageClassName: '' };
  await apply(
    {
      ...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name } },
      spec: {
        ...access,
        capacity: { storage: '1Mi' },
        persistentVolumeReclaimPolicy: 'Retain',
        hostPath: { path: folder },
      },
    },
    {
      ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: claim, namespace } },
      spec: { ...access, volumeName: name, resources: { requests: { storage: '1Mi' } } },
    },
  );
  return {
    folder,
    async remove() {
      await kubectl('delete', 'pv', name, '--ignore-not-found', '--wait=false');
      rmSync(folder, { recursive: true });
    },
  };
}
