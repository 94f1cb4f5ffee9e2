{{- define "common.service.base" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
  labels: {owner: platform}
spec:
  ports: [{port: 80}]
{{- end }}

{{- define "common.merge" -}}
{{- $top := first . -}}
{{- $over := fromYaml (include (index . 1) $top) | default dict -}}
{{- $base := fromYaml (include (index . 2) $top) | default dict -}}
{{- toYaml (merge $over $base) -}}
{{- end }}

{{- define "common.service" -}}
{{- include "common.merge" (append . "common.service.base") -}}
{{- end }}
