<h1>{{ .Values.greeting }}</h1>
