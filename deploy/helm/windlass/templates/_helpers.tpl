{{- define "windlass.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "windlass.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* Of one process; arguments: root, component. */}}
{{- define "windlass.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "windlass.image" -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}

{{/* Of the pod: nothing of the product needs to be root. */}}
{{- define "windlass.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "windlass.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* How every process comes to Temporal. */}}
{{- define "windlass.temporalEnv" -}}
- { name: TEMPORAL_ADDRESS, value: {{ .Values.temporal.address | quote }} }
- { name: TEMPORAL_NAMESPACE, value: {{ .Values.temporal.namespace | quote }} }
{{- with .Values.temporal.tls }}
{{- if .enabled }}
- { name: TEMPORAL_TLS, value: 'true' }
{{- with .serverName }}
- { name: TEMPORAL_TLS_SERVER_NAME, value: {{ . | quote }} }
{{- end }}
{{- if .existingSecret }}
- { name: TEMPORAL_TLS_SERVER_CA_CERT_PATH, value: /etc/windlass/temporal/ca.crt }
{{- if .mutual }}
- { name: TEMPORAL_TLS_CLIENT_CERT_PATH, value: /etc/windlass/temporal/tls.crt }
- { name: TEMPORAL_TLS_CLIENT_KEY_PATH, value: /etc/windlass/temporal/tls.key }
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.temporal.apiKey }}
{{- if .existingSecret }}
- name: TEMPORAL_API_KEY
  valueFrom: { secretKeyRef: { name: {{ .existingSecret }}, key: {{ .key }} } }
{{- end }}
{{- end }}
{{- end -}}

{{/* What a process says by itself: env, secretEnv. */}}
{{- define "windlass.ownEnv" -}}
{{- range $name, $value := .env }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- range .secretEnv }}
- name: {{ .name }}
  valueFrom: { secretKeyRef: { name: {{ .secret }}, key: {{ .key }} } }
{{- end }}
{{- end -}}

{{/* Mounts of every process; arguments: root, own (secretMounts), catalog: whether it reads the catalog. */}}
{{- define "windlass.mounts" -}}
- { name: tmp, mountPath: /tmp }
{{- if .root.Values.temporal.tls.existingSecret }}
- { name: temporal, mountPath: /etc/windlass/temporal, readOnly: true }
{{- end }}
{{- if .catalog }}
- { name: systems, mountPath: /etc/windlass/systems, readOnly: true }
{{- end }}
{{- range .own.secretMounts }}
- { name: secret-{{ .secret }}, mountPath: {{ .path }}, readOnly: true }
{{- end }}
{{- end -}}

{{- define "windlass.volumes" -}}
- name: tmp
  emptyDir: { sizeLimit: 256Mi }
{{- with .root.Values.temporal.tls.existingSecret }}
- name: temporal
  secret: { secretName: {{ . }}, defaultMode: 0440 }
{{- end }}
{{- if .catalog }}
- name: systems
{{- with .root.Values.catalog }}
{{- if .configMap }}
  configMap: { name: {{ .configMap }} }
{{- else if .existingClaim }}
  persistentVolumeClaim: { claimName: {{ .existingClaim }}, readOnly: true }
{{- else }}
{{- fail "catalog: name the ConfigMap or the claim that has the systems (catalog.configMap or catalog.existingClaim)" }}
{{- end }}
{{- end }}
{{- end }}
{{- range .own.secretMounts }}
- name: secret-{{ .secret }}
  secret: { secretName: {{ .secret }}, defaultMode: 0440 }
{{- end }}
{{- end -}}

{{/* Which of some capabilities a worker has, as text: empty for none. Arguments: worker, of. */}}
{{- define "windlass.hasAny" -}}
{{- $worker := .worker -}}
{{- range .of }}{{ if has . $worker.capabilities }}yes{{ end }}{{ end -}}
{{- end -}}
