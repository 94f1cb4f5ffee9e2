{{- define "cache.labels" -}}
app: {{ .Release.Name }}
{{- end }}

{{- /* What no container here needs, it does not have. */}}
{{- define "cache.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "cache.pod" -}}
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  seccompProfile: {type: RuntimeDefault}
{{- end }}
